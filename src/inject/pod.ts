/** A Pod, or the template of one, as far as injection looks at it; all other fields are carried along. */

/** A value of JSON whose fields are not looked at. */
export interface Fields {
  readonly [field: string]: unknown;
}

/** Whether the value is such a map, and neither a list nor null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a field; undefined where there is none. */
export function fieldOf(value: unknown, field: string): unknown {
  return isFields(value) ? value[field] : undefined;
}

/** A pod or a pod template. */
export interface Pod extends Fields {
  readonly metadata?: PodMetadata;
  readonly spec: PodSpec;
}

/** Its metadata. */
export interface PodMetadata extends Fields {
  readonly name?: string;
  readonly generateName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Its specification. */
export interface PodSpec extends Fields {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: SecurityContext;
  readonly hostNetwork?: boolean;
  readonly serviceAccountName?: string;
  readonly dnsPolicy?: string;
  readonly terminationGracePeriodSeconds?: number;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly os?: Fields;
}

/** A container of either list. */
export interface Container extends Fields {
  readonly name: string;
  readonly securityContext?: SecurityContext;
  readonly lifecycle?: Fields;
  readonly ports?: readonly ContainerPort[];
}

/** A volume. */
export interface Volume extends Fields {
  readonly name: string;
}

/** A security context, of the pod or of a container. */
export interface SecurityContext extends Fields {
  readonly runAsUser?: number;
}

/** A port that a container declares. */
export interface ContainerPort extends Fields {
  readonly containerPort: number;
  readonly name?: string;
  readonly protocol?: string;
}

/** `shop/web-1`; `shop/web-...` where the API server will make up the rest of the name. */
export function nameOf({ metadata = {} }: Pod, namespace: string): string {
  return `${namespace}/${metadata.name || `${metadata.generateName ?? ''}...`}`;
}
