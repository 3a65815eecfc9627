import { Type, type Static, type TSchema, type TSchemaOptions } from 'typebox'

/** A CEL rule of the API server; the message says what to write instead. */
export interface Rule {
  readonly rule: string
  readonly message: string
  readonly fieldPath?: string
}

/** CEL rules of a node, in the words of a structural schema. */
export const rules = (...list: readonly Rule[]) => ({ 'x-kubernetes-validations': list })

/** The value never changes after creation; an optional field may not be added or dropped either. */
export const immutable = (field: string): Rule => ({
  rule: 'self == oldSelf',
  message: `${field} cannot be changed; make a new resource instead`,
})

/** A closed set of words. API conventions prefer it to a boolean, because a third case always comes. */
export const words = <const W extends readonly string[]>(
  list: W,
  options: TSchemaOptions & { default?: W[number] },
) => Type.Unsafe<W[number]>({ type: 'string', enum: [...list], ...options })

/** An object that knows all its fields: an unknown one is an error for whoever validates strictly. */
export const fields: typeof Type.Object = Type.Object

const DURATION = '^([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$'

/** Whole hours, minutes and seconds; read by CEL's duration() and by core/duration alike. */
export const duration = (description: string, options: TSchemaOptions = {}) =>
  Type.String({ description, pattern: DURATION, minLength: 2, maxLength: 21, ...options })

const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'

/** The name of an object in the same namespace. */
export const dnsLabel = (description: string, options: TSchemaOptions = {}) =>
  Type.String({ description, pattern: DNS_LABEL, minLength: 1, maxLength: 63, ...options })

export const time = (description: string) => Type.String({ description, format: 'date-time' })

/** A reference by name alone: the kind and the scope are fixed by the field. */
export const nameRef = (description: string) =>
  fields({ name: dnsLabel('Name of the object.') }, { description })

/** A list that is replaced as a whole. */
export const list = <T extends TSchema>(item: T, options: TSchemaOptions & { maxItems: number }) =>
  Type.Array(item, { 'x-kubernetes-list-type': 'atomic', ...options })

/** A map from text to text, bounded so that CEL rules over it stay cheap. */
export const textMap = (description: string, maxProperties: number, maxLength: number) =>
  Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    description,
    maxProperties,
    additionalProperties: { type: 'string', maxLength },
  })

/** CEL: how many of the named optional fields are set. */
export const exactlyOne = (names: readonly string[], where: string): Rule => ({
  rule: `[${names.map((name) => `has(self.${name})`).join(', ')}].filter(set, set).size() == 1`,
  message: `${where}: set exactly one of ${names.join(', ')}`,
})

export type { Static }
