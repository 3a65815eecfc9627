/** Deeper than any body of ours; a body made of brackets would otherwise be built before it is refused. */
const MAX_DEPTH = 32
const STRUCTURE = /["{}[\],]/g

/**
 * Why a JSON text cannot be taken as it stands, or undefined. RFC 8259 section 4 leaves open what a repeated member
 * means, so whoever looked at the body before us may have read the other one. What is no JSON at all is not judged here.
 */
export function findAmbiguity(text: string): string | undefined {
  // A set of names per open object, undefined per open list.
  const open: (Set<string> | undefined)[] = []
  let isName = false
  STRUCTURE.lastIndex = 0
  for (let found = STRUCTURE.exec(text); found; found = STRUCTURE.exec(text)) {
    switch (found[0]) {
      case '"': {
        const end = endOfString(text, found.index)
        if (end < 0) return undefined
        STRUCTURE.lastIndex = end
        const names = open.at(-1)
        if (isName && names && !addName(names, text.slice(found.index, end))) {
          return 'an object names a member twice'
        }
        isName = false
        break
      }
      case ',':
        isName = open.at(-1) !== undefined
        break
      case '{':
      case '[':
        isName = found[0] === '{'
        open.push(isName ? new Set() : undefined)
        if (open.length > MAX_DEPTH) return `the body is nested deeper than ${MAX_DEPTH}`
        break
      default:
        open.pop()
        isName = false
    }
  }
  return undefined
}

/** Behind the closing quote, or -1. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let backslashes = 0
    while (text[at - 1 - backslashes] === '\\') backslashes += 1
    if (backslashes % 2 === 0) return at + 1
  }
  return -1
}

/** Two spellings of one name are one name. */
function addName(names: Set<string>, literal: string): boolean {
  const name = literal.includes('\\') ? decode(literal) : literal.slice(1, -1)
  if (names.has(name)) return false
  names.add(name)
  return true
}

function decode(literal: string): string {
  try {
    return JSON.parse(literal) as string
  } catch {
    return literal
  }
}
