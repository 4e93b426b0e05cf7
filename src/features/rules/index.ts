/** `rules`: how requests are routed. The compiler makes routes of them (`routes.ts`), since those need the whole world. */
import type { Feature } from '../feature.js';
import { check } from './check.js';
import { rules } from './schema.js';

/** The `rules` stanza. */
export const feature: Feature<'rules', typeof rules> = { name: 'rules', side: 'Client', schema: rules, check };
