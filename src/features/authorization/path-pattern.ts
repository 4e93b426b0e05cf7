const hex = '[0-9a-fA-F]';

/** Bytes of UTF-8 beyond ASCII; those with which an overlong form begins are not among them (RFC 3629, section 4). */
const utf8 = `[89abAB]${hex}|[cC][2-9a-fA-F]|[dD]${hex}|[eE](?:[1-9a-fA-F]|0%[abAB]${hex})|[fF](?:[1-4]|0%[9abAB]${hex})`;

/** What every server keeps at the end of a segment; of ASCII what needs no encoding, or cannot do without. */
const firm = `(?:[-A-Za-z0-9_~!$&'()*+,=:@]|%(?:22|3[cCeE]|5[eE]|60|7[bBcCdD]|${utf8}))`;

/** What some servers cut off at the end of a segment, dots and spaces, as Windows does with the names of files. */
export const loose = '(?:\\.|%20)*';

/**
 * A path whose meaning is beyond doubt: what one server takes for it, every other does. Not among them is what some servers decode,
 * resolve or cut off and others do not: `;`, `\`, brackets, `//`, percent-encoding of ASCII other than what cannot stand there as
 * itself, and segments of nothing but dots and spaces. The same in JavaScript and in RE2, which runs it for every request.
 */
export const plainPath = `^(?:/|(?:/(?:${loose}${firm})+${loose})+/?)$`;
