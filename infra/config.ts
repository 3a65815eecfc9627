import * as pulumi from '@pulumi/pulumi'
import { parseStackConfig } from './config/parse.ts'
import { StackConfig } from './config/schema.ts'

/** Reads the selected stack. Everything that follows takes the result as an argument. */
export const readStackConfig = (): StackConfig => {
  const stack = new pulumi.Config('palisade')
  const given = Object.keys(StackConfig.properties).map((key) => [key, read(stack, key)] as const)
  return parseStackConfig(Object.fromEntries(given))
}

/** A plain word is not JSON; a list or an object is. */
const read = (stack: pulumi.Config, key: string): unknown => {
  const text = stack.get(key)
  if (text === undefined) return undefined
  return /^[[{]/.test(text) ? JSON.parse(text) : text
}
