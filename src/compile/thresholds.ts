/** How many connections and requests a cluster bears where no policy says so. */
import type { Thresholds } from '../envoy/types.js';

const unlimited = 4_294_967_295;

/** Envoy's defaults of 1024 connections and requests, 3 retries, fail a busy caller for no reason of its own; a limit is for policies to set. */
export const defaultThresholds: Thresholds = {
  max_connections: unlimited,
  max_pending_requests: unlimited,
  max_requests: unlimited,
  max_retries: unlimited,
};
