import * as pulumi from '@pulumi/pulumi'
import { parseStackConfig } from './config/parse.ts'
import type { StackConfig } from './config/schema.ts'

const PREFIX = 'palisade:'

/**
 * Reads the selected stack. Everything that follows takes the result as an argument. All of its keys are read, not
 * those that we know: a key that is misspelt would be passed over otherwise, and its default taken for what was meant.
 */
export const readStackConfig = (): StackConfig => {
  const given = Object.entries(pulumi.runtime.allConfig())
    .filter(([key]) => key.startsWith(PREFIX))
    .map(([key, text]) => [key.slice(PREFIX.length), read(text)] as const)
  return parseStackConfig(Object.fromEntries(given))
}

/** A plain word is not JSON; a list or an object is. */
const read = (text: string): unknown => (/^[[{]/.test(text) ? JSON.parse(text) : text)
