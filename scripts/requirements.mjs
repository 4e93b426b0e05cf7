/** What some tests need besides Node and Python: each check says what is missing, or undefined. */
import { execFile } from 'node:child_process';
import { provideKubernetes } from './kubernetes.mjs';

/** Whether a command runs and succeeds. */
function works(command, ...args) {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 20_000 }, (error) => resolve(!error));
  });
}

/** For capturing traffic: root, network namespaces and iptables. */
export async function missingForNetns() {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  if (!(await works('ip', '-V'))) return 'the command ip (package iproute2) is not installed';
  if (!(await works('iptables', '--version'))) return 'the command iptables is not installed';
  if (!(await works('/usr/bin/setpriv', '--version'))) return 'the command setpriv (package util-linux) is not installed';
  if (!(await works('openssl', 'version'))) return 'the command openssl, which makes certificates for the test, is not installed';
  const name = `weft-probe-${process.pid}`;
  if (!(await works('ip', 'netns', 'add', name))) return 'this machine does not allow network namespaces to be made';
  const nat = await works('ip', 'netns', 'exec', name, 'iptables', '-w', '-t', 'nat', '-L', '-n');
  await works('ip', 'netns', 'delete', name);
  return nat ? undefined : 'iptables has no nat table here';
}

/** For clients that are written in Go. */
export async function missingForGo() {
  return (await works('go', 'version')) ? undefined : 'Go is not installed';
}

/** For what attackers' tools find in the ports. */
export async function missingForPorts() {
  if (!(await works('go', 'version'))) return 'Go, with which h2spec is built, is not installed';
  if (!(await works('h2load', '--version'))) return 'the command h2load (package nghttp2-client) is not installed';
  if (!(await works('/bin/sh', '-c', 'command -v slowhttptest'))) return 'the command slowhttptest is not installed';
  return (await works('/bin/sh', '-c', 'command -v testssl')) ? undefined : 'the command testssl (package testssl.sh) is not installed';
}

/** For a real cluster. Nobody's cluster is touched unless these variables say so. */
export async function missingForCluster() {
  const { KUBECONFIG, WEFT_BUILD_IMAGE, WEFT_KIND_CLUSTER, WEFT_NODE_EXEC } = process.env;
  const how = '(test/cluster/README.md tells how to give one)';
  if (!KUBECONFIG) return `KUBECONFIG names no cluster to test on ${how}`;
  if (!WEFT_BUILD_IMAGE && !WEFT_KIND_CLUSTER) return `neither WEFT_BUILD_IMAGE nor WEFT_KIND_CLUSTER says how images come to the cluster ${how}`;
  if (!WEFT_NODE_EXEC) return `WEFT_NODE_EXEC does not say how a command is run on the node of the cluster ${how}`;
  if (!(await works('kubectl', 'version', '--client'))) return 'the command kubectl is not installed';
  if (!(await works('helm', 'version'))) return 'the command helm is not installed';
  if (!(await works('kubectl', 'get', '--raw', '/readyz'))) return `the cluster of KUBECONFIG=${KUBECONFIG} does not answer`;
  return undefined;
}

/** For a real API server: its programs, which are built here if need be. */
export async function missingForApiserver() {
  if (process.platform === 'win32') return 'etcd and kube-apiserver are not run on Windows';
  return provideKubernetes(await works('go', 'version'));
}
