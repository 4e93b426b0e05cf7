/**
 * Which statistics a sidecar keeps. All of Envoy's take a quarter of the memory of a proxy that knows a thousand
 * destinations and half the CPU of telling it of them; few are ever looked at.
 */
import type { Bootstrap } from '../envoy/types.js';
import { plaintextPrefix } from '../model/plaintext.js';
import { probeStats } from './bootstrap-probes.js';

/** Clusters towards a Service have the `alt_stat_name` `out.SERVICE.NAMESPACE.PORT`. */
const destination = 'cluster\\.out\\.[^.]+\\.[^.]+\\.[0-9]+\\.';

const ofDestinations = `${destination}(upstream_rq_([1-5]xx|time|total|timeout|active|pending_overflow|retry.*)|upstream_cx_(total|active|connect_fail|overflow)|outlier_detection\\.ejections_active|membership_(total|healthy))`;

/** Certificates of callers that were refused, by why: expired or of another authority (`error`), of another trust domain (`san`), none at all (`no_cert`). */
const refusedCertificates = 'listener\\..*_15008\\.ssl\\.fail_verify_.*';

/** Buckets of the latency histograms, in milliseconds. */
const buckets = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** Destinations with their own tags, the process, the state of the control plane's stream, what access loggers count under `weft` and of plaintext, what Envoy itself reads to answer probes, and certificates that were refused. */
export const leanStats: Bootstrap['stats_config'] = {
  use_all_default_tags: false,
  stats_tags: [
    { tag_name: 'destination', regex: '^cluster\\.(out\\.(.+?\\.\\d+)\\.).+' },
    { tag_name: 'response_code_class', regex: '_rq(_([1-5]xx))$' },
  ],
  stats_matcher: {
    inclusion_list: {
      patterns: [
        { prefix: 'server.' },
        { prefix: 'weft.' },
        { prefix: `${plaintextPrefix}.` },
        { prefix: 'control_plane.' },
        { prefix: 'cluster_manager.' },
        { prefix: 'listener_manager.' },
        { prefix: 'cluster.xds.upstream_cx_' },
        { safe_regex: { regex: ofDestinations } },
        { safe_regex: { regex: refusedCertificates } },
        { safe_regex: { regex: probeStats } },
      ],
    },
  },
  histogram_bucket_settings: [
    { match: { prefix: 'cluster.out.' }, buckets },
    { match: { prefix: 'weft.' }, buckets },
  ],
};
