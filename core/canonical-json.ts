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

/** Members of an object up to which inserting is cheaper than sorting. */
const FEW = 32

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
  for (const key of inOrder(Object.keys(object))) {
    const member = (object as Record<string, unknown>)[key]
    if (member === undefined) continue
    path.push(key)
    out += `${out === '' ? '' : ','}${writeString(key, path)}:${write(member, path)}`
    path.pop()
  }
  return `{${out}}`
}

/**
 * By UTF-16 code units (RFC 8785 3.2.3), which is how `<` compares. In place and by insertion: a record has a dozen
 * members, most of them in order already, and `sort` copies its array twice.
 */
function inOrder(keys: string[]): string[] {
  if (keys.length > FEW) return keys.sort()
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string
    let at = i
    for (; at > 0 && (keys[at - 1] as string) > key; at--) keys[at] = keys[at - 1] as string
    keys[at] = key
  }
  return keys
}

function refused(path: Path, what: string): TypeError {
  const at = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('')
  return new TypeError(`canonical JSON cannot carry ${what} (at $${at})`)
}
