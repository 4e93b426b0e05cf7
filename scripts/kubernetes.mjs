/** The programs of Kubernetes that tests need: given in a folder, or built once from the Go module of the tests. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { progress, run } from './setup.mjs';

const modulePath = 'test/support/kubernetes';

/** What each program is built from. */
const programs = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  helm: 'helm.sh/helm/v3/cmd/helm',
};

const remedy = 'set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver, kubectl and helm, or install Go, with which they are built once';

/**
 * Puts the folder of the programs into KUBEBUILDER_ASSETS and first into PATH, and builds what is missing where Go is installed. Resolves to why that
 * cannot be done, or to undefined.
 */
export async function provideKubernetes(hasGo) {
  const given = process.env.KUBEBUILDER_ASSETS;
  const folder = resolve(given || join(process.env.WEFT_CACHE || '.cache', `kubernetes-${await version()}`));
  const missing = Object.keys(programs).filter((name) => !findProgram(name, folder, given));
  if (missing.length > 0 && given) return `KUBEBUILDER_ASSETS is ${given}, where ${missing.join(' and ')} cannot be found; ${remedy}`;
  if (missing.length > 0 && !hasGo) return `${missing.join(', ')} cannot be found; ${remedy}`;
  const failed = missing.length > 0 && (await build(folder, missing));
  if (failed) return `${failed} cannot be built; ${remedy}`;
  process.env.KUBEBUILDER_ASSETS = folder;
  process.env.PATH = `${folder}${delimiter}${process.env.PATH}`;
  return undefined;
}

/** A folder that somebody gives may lack Helm and kubectl, as envtest's does helm; those may be anywhere in PATH. */
function findProgram(name, folder, given) {
  const isServer = name === 'etcd' || name === 'kube-apiserver';
  const elsewhere = given && !isServer ? (process.env.PATH ?? '').split(delimiter).filter(Boolean) : [];
  return [folder, ...elsewhere].some((place) => existsSync(join(place, name)));
}

/** The first that cannot be built, or undefined. */
async function build(folder, names) {
  progress(`Building ${names.join(', ')} with Go into ${folder} (10 to 18 minutes, once)`);
  const release = await version();
  const minor = release.split('.')[1];
  const stamps = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].map(
    (name) => `-X ${name}.gitVersion=${release} -X ${name}.gitMajor=1 -X ${name}.gitMinor=${minor}`,
  );
  const helm = ['helm.sh/helm/v3/pkg/chartutil', 'helm.sh/helm/v3/pkg/lint/rules'].map(
    (name) => `-X ${name}.k8sVersionMajor=1 -X ${name}.k8sVersionMinor=${minor}`,
  );
  for (const name of names) {
    const flags = ['-trimpath', '-ldflags', ['-s -w', ...stamps, ...helm].join(' ')];
    const code = await run('go', ['build', '-C', modulePath, ...flags, '-o', join(folder, name), programs[name]], { CGO_ENABLED: '0' });
    if (code !== 0) return name;
  }
  return undefined;
}

/** The release of Kubernetes: `v1.36.3`. */
async function version() {
  const text = await readFile(join(modulePath, 'go.mod'), 'utf8');
  return /^\s*k8s\.io\/kubernetes (v\S+)/m.exec(text)?.[1] ?? 'unknown';
}
