/** Failures that are made on the cluster's node, by the command in WEFT_NODE_EXEC (such as `docker exec kind-control-plane`). */
import { run } from './command.js';

/** What a shell on the node writes. */
export function onNode(script: string): Promise<string> {
  const [command = '', ...args] = (process.env['WEFT_NODE_EXEC'] ?? '').split(' ');
  if (!command) throw new Error('WEFT_NODE_EXEC is not set; give the command that runs another one on the node of the cluster');
  return run(command, [...args, 'sh', '-c', script]);
}

/** A daemon of the control plane of Kubernetes, which its node starts again when it ends. */
type Daemon = 'kube-apiserver' | 'kube-controller-manager';

/** Sends a signal to a daemon. */
export async function signal(daemon: Daemon, name: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
  await onNode(`kill -${name} $(pidof ${daemon})`);
}

/** Lets no packet of this address through; {@link heal} undoes it. */
export async function cut(address: string): Promise<void> {
  await onNode(`iptables -w -t raw -I PREROUTING -s ${address} -j DROP`);
}

/** Lets packets of this address through again; says nothing when they were not cut. */
export async function heal(address: string): Promise<void> {
  await onNode(`while iptables -w -t raw -D PREROUTING -s ${address} -j DROP 2>/dev/null; do :; done`);
}

/** Asks etcd's gateway on the node, with kubeadm's certificates where there are some. */
function askEtcd(path: string, body: object): Promise<string> {
  return onNode(`
    ask='curl -sS --fail-with-body'
    pki=/etc/kubernetes/pki/etcd
    if [ -e $pki/healthcheck-client.key ]; then
      $ask --cacert $pki/ca.crt --cert $pki/healthcheck-client.crt --key $pki/healthcheck-client.key -d '${JSON.stringify(body)}' https://127.0.0.1:2379${path}
    else
      $ask -d '${JSON.stringify(body)}' http://127.0.0.1:2379${path}
    fi`);
}

/** Makes etcd forget all of its history: whoever wants to go on from an earlier resourceVersion can not. */
export async function compactEtcd(): Promise<void> {
  const [, revision] = /"revision":\s*"(\d+)"/.exec(await askEtcd('/v3/kv/range', { key: 'AA==' })) ?? [];
  if (!revision) throw new Error('etcd does not tell its revision');
  await askEtcd('/v3/kv/compaction', { revision, physical: true });
}
