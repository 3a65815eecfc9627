import { createHash } from 'node:crypto'

/** Short name of a text: put on a pod template, it turns a changed file into a rollout. */
export const digest = (...texts: readonly string[]): string =>
  texts
    .reduce((hash, text) => hash.update(text).update('\0'), createHash('sha256'))
    .digest('hex')
    .slice(0, 16)
