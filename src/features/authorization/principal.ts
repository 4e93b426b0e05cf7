import type { Message } from '../../envoy/types.js';
import type { ServerContext } from '../feature.js';
import { parseCidr } from './cidr.js';
import type { Source } from './schema.js';
import type { ScopedRule } from './scoped-rule.js';

type Principal = Message<'envoy.config.rbac.v3.Principal'>;

const anybody: Principal = { any: true };

/**
 * Who is meant by a rule; an empty list is nobody. The identity of a caller is what its certificate says, which is the URI among
 * its alternative names; who comes without one might be anybody, so that a Deny rule means him and an Allow rule does not.
 * (Envoy's principal `mtls_authenticated` forgets the caller when a TLS session is resumed.)
 */
export function toPrincipals({ rule, policy }: ScopedRule, context: ServerContext): readonly Principal[] {
  if (!rule.sources) return [anybody];
  return rule.sources.flatMap((source): readonly Principal[] => {
    if (source.type === 'CIDR') return byAddress(source);
    if (!context.isMtls) return rule.action === 'Deny' ? [anybody] : [];
    return [{ authenticated: { principal_name: toName(source, policy.namespace, context.trustDomain) } }];
  });
}

/** The address at the other end of the connection, which no header changes. */
function byAddress({ cidr = '' }: Source): readonly Principal[] {
  const direct_remote_ip = parseCidr(cidr);
  return direct_remote_ip ? [{ direct_remote_ip }] : [];
}

function toName(
  { type, serviceAccount, namespace = '', spiffe = '' }: Source,
  own: string,
  trustDomain: string,
): Message<'envoy.type.matcher.v3.StringMatcher'> {
  if (type === 'SPIFFE') return { exact: spiffe };
  if (type === 'Namespace') return { prefix: `spiffe://${trustDomain}/ns/${namespace}/sa/` };
  return { exact: `spiffe://${trustDomain}/ns/${serviceAccount?.namespace ?? own}/sa/${serviceAccount?.name ?? ''}` };
}
