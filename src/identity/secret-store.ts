/** The Secret of an authority, as it is read and written: with optimistic concurrency, so that nobody's change is lost. */
import { type KubeClient, KubeError } from '../kubernetes/api.js';
import { isPlain, textOf } from '../kubernetes/plain.js';
import { madeAnnotation, type SecretChange } from './authority-plan.js';
import type { StoredAuthority } from './rotation-plan.js';

/** The annotation that says which roots go at the end of a rotation: their fingerprints, separated by commas. */
const retiringAnnotation = 'weft.dev/retiring';

/** Where the Secret is. */
export interface SecretPlace {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly secret: string;
}

/** The Secret as it was read. */
export interface FoundSecret extends StoredAuthority {
  readonly object: Readonly<Record<string, unknown>>;
  /** The Certificate of cert-manager that the Secret is written for; undefined when there is none. */
  readonly certificate: string | undefined;
}

/** `weft-system/weft-ca`. */
export function nameOfSecret({ namespace, secret }: SecretPlace): string {
  return `${namespace}/${secret}`;
}

/** Rejects with an Error that names the Secret when it is not there, or may not be read. */
export async function readSecret(place: SecretPlace): Promise<FoundSecret> {
  const name = nameOfSecret(place);
  const object = await place.client.request({ method: 'GET', path: pathOf(place) }).catch((error: unknown) => {
    const isMissing = error instanceof KubeError && error.status === 404;
    throw isMissing ? new Error(`Secret ${name} is not there; the chart makes it: run helm upgrade, or create it with no data`) : error;
  });
  if (!isPlain(object)) throw new Error(`Secret ${name}: the API server answers with no object`);
  const metadata = isPlain(object['metadata']) ? object['metadata'] : {};
  const data = isPlain(object['data']) ? object['data'] : {};
  const texts = Object.fromEntries(Object.keys(data).map((key) => [key, Buffer.from(textOf(data, key), 'base64').toString()]));
  const annotation = (key: string) => textOf(metadata['annotations'], key) || undefined;
  const retiring = (annotation(retiringAnnotation) ?? '').split(',').filter(Boolean);
  return { object, texts, made: annotation(madeAnnotation), retiring, certificate: annotation('cert-manager.io/certificate-name') };
}

/** What a Secret is to hold; `retiring` left out stays as it is. */
export interface SecretWrite extends SecretChange {
  readonly retiring?: readonly string[] | undefined;
}

/** False when somebody else was faster: the resourceVersion in the object makes the API server refuse. */
export async function writeSecret(place: SecretPlace, object: FoundSecret['object'], { texts, made, retiring }: SecretWrite): Promise<boolean> {
  const metadata = isPlain(object['metadata']) ? object['metadata'] : {};
  const { [retiringAnnotation]: before, [madeAnnotation]: _, ...others } = isPlain(metadata['annotations']) ? metadata['annotations'] : {};
  const next = retiring === undefined ? before : retiring.join(',');
  const annotations = { ...others, ...(made === undefined ? {} : { [madeAnnotation]: made }), ...(next ? { [retiringAnnotation]: next } : {}) };
  const data = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
  const body = { ...object, metadata: { ...metadata, annotations }, data: { ...kept(object['data']), ...data } };
  return place.client.request({ method: 'PUT', path: pathOf(place), body }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof KubeError && error.status === 409) return false;
      throw error;
    },
  );
}

/** What a user keeps in the Secret besides. */
function kept(data: unknown): object {
  if (!isPlain(data)) return {};
  return Object.fromEntries(Object.entries(data).filter(([key]) => key !== 'next.crt' && key !== 'next.key'));
}

function pathOf({ namespace, secret }: SecretPlace): string {
  return `/api/v1/namespaces/${namespace}/secrets/${secret}`;
}
