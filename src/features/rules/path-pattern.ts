/** What a path is made of (RFC 3986, `path`); the same in JavaScript and in RE2. */
export const pathPattern = "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$";
