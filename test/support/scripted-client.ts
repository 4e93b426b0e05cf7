/** A cluster made of answers, for tests whose subject is what is made of them; test/apiserver has the real thing. */
import { type KubeClient, KubeError, type KubeRequest } from '../../src/kubernetes/api.js';

/** By `METHOD path`: the answer, the error to reject with, or a function of the request that makes either. */
export type Answers = Readonly<Record<string, unknown>>;

/** A client that answers as told, and with NotFound to everything else. */
export function scriptedClient(answers: Answers): KubeClient {
  return {
    server: 'https://scripted',
    request: async (request) => {
      const key = `${request.method} ${request.path}`;
      if (!Object.hasOwn(answers, key)) throw new KubeError(404, 'NotFound', `${key}: not found`);
      const answer = isFunction(answers[key]) ? answers[key](request) : answers[key];
      if (answer instanceof Error) throw answer;
      return answer;
    },
    watch: () => Promise.reject(new Error('nothing is watched here')),
  };
}

function isFunction(value: unknown): value is (request: KubeRequest) => unknown {
  return typeof value === 'function';
}
