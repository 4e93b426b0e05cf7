/** The names under which a proxy asks for its Secrets; every proxy has its own of each. */

/** The one with the proxy's own certificate and key. */
export const leafName = 'default';
/** The one with the roots that it trusts. */
export const rootsName = 'ROOTCA';
