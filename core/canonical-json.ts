/**
 * The one text of a JSON value (RFC 8785), so that a digest or a MAC over it means the same everywhere.
 *
 * ECMAScript's own number and string output is what the RFC prescribes (3.2.2); what is added is the order
 * of members and refusal of everything that JSON cannot carry faithfully.
 */
export function canonicalJson(value: unknown): string {
  return write(value, [])
}

/** Where the walk is, for the message of a refusal; a text per node would cost more than the output. */
type Path = (string | number)[]

function write(value: unknown, path: Path): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, path)
    case 'number':
      if (!Number.isFinite(value)) throw refused(path, String(value))
      return JSON.stringify(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? writeArray(value, path) : writeObject(value, path)
    default:
      throw refused(path, typeof value)
  }
}

// Printable ASCII without quote and backslash, which is nearly every text in a record.
const NEEDS_NO_ESCAPE = /^[ !#-[\]-~]*$/

function writeString(text: string, path: Path): string {
  if (NEEDS_NO_ESCAPE.test(text)) return `"${text}"`
  // JSON.stringify would write a lone surrogate as an escape, which I-JSON forbids (RFC 7493 2.1).
  if (!text.isWellFormed()) throw refused(path, 'a string with a lone surrogate')
  return JSON.stringify(text)
}

function writeArray(items: readonly unknown[], path: Path): string {
  let out = ''
  // By index, because iteration methods skip holes and would produce broken text.
  for (let i = 0; i < items.length; i++) {
    path.push(i)
    out += (i === 0 ? '' : ',') + write(items[i], path)
    path.pop()
  }
  return `[${out}]`
}

function writeObject(object: object, path: Path): string {
  const proto: unknown = Object.getPrototypeOf(object)
  // A Date, Map or Sealed would silently become something else than what its reader meant.
  if (proto !== Object.prototype && proto !== null) {
    throw refused(path, `an instance of ${object.constructor.name}`)
  }
  let out = ''
  // The default order of strings in JavaScript is by UTF-16 code units, as RFC 8785 3.2.3 asks.
  for (const key of Object.keys(object).sort()) {
    const member = (object as Record<string, unknown>)[key]
    if (member === undefined) continue
    path.push(key)
    out += `${out === '' ? '' : ','}${writeString(key, path)}:${write(member, path)}`
    path.pop()
  }
  return `{${out}}`
}

function refused(path: Path, what: string): TypeError {
  const at = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
  return new TypeError(`canonical JSON cannot carry ${what} (at $${at})`)
}
