/**
 * The one text of a JSON value (RFC 8785), so that a digest or a MAC over it means the same everywhere.
 *
 * ECMAScript's own number and string output is what the RFC prescribes (3.2.2); what is added is the order
 * of members and refusal of everything that JSON cannot carry faithfully.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$')
}

function write(value: unknown, path: string): string {
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

function writeString(text: string, path: string): string {
  // JSON.stringify would write a lone surrogate as an escape, which I-JSON forbids (RFC 7493 2.1).
  if (!text.isWellFormed()) throw refused(path, 'a string with a lone surrogate')
  return JSON.stringify(text)
}

function writeArray(items: readonly unknown[], path: string): string {
  // Array.from visits holes too; `map` would skip them and produce broken text.
  return `[${Array.from(items, (item, i) => write(item, `${path}[${i}]`)).join(',')}]`
}

function writeObject(object: object, path: string): string {
  const proto: unknown = Object.getPrototypeOf(object)
  // A Date, Map or Sealed would silently become something else than what its reader meant.
  if (proto !== Object.prototype && proto !== null) {
    throw refused(path, `an instance of ${object.constructor.name}`)
  }
  const members = Object.entries(object)
    .filter(([, member]) => member !== undefined)
    // Default order of strings in JavaScript is by UTF-16 code units, as RFC 8785 3.2.3 asks.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${writeString(key, path)}:${write(member, `${path}.${key}`)}`)
  return `{${members.join(',')}}`
}

const refused = (path: string, what: string) =>
  new TypeError(`canonical JSON cannot carry ${what} (at ${path})`)
