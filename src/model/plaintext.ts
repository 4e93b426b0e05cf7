/** How a sidecar's statistics tell who calls its app in plaintext: what the compiler has Envoy keep, and `weft check` reads. */

/** What the names of these statistics begin with, and nobody else's do. */
export const plaintextPrefix = 'plaintext';

/** How many callers of ports a proxy remembers. Further ones are left out until others are forgotten. */
export const maxPlaintextCallers = 256;

/** For how many of them it remembers when they were last seen. That is never forgotten, so it has to be more. */
export const maxPlaintextTimes = 1_024;

/** How often a connection, or a request, that stays open is seen again, in seconds. */
export const plaintextSightings = 30;

/** A caller that was not seen is forgotten after one to two times so long, in seconds. */
export const plaintextMemory = 43_200;

/** The path of a sidecar's port for metrics under which they are told. */
export const plaintextPath = '/stats/plaintext';
