/** The ports of a pod that its sidecar takes. */

/** Where captured outgoing connections go. */
export const outboundPort = 15_001;
/** Where captured incoming connections go that are no mutual TLS of the mesh. */
export const inboundPort = 15_006;
/** Where mutual TLS of the mesh arrives. */
export const mutualTlsPort = 15_008;
/** Where the kubelet asks for health, and Prometheus for statistics. */
export const healthPort = 15_021;

/** On these the sidecar itself listens, and no app. */
export const sidecarPorts: readonly number[] = [outboundPort, inboundPort, mutualTlsPort, healthPort];
