import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** A value that must be found nowhere, by a name that may be printed. */
export interface Value {
  readonly name: string
  readonly text: string
}

/** The part of a Base64 text that is the same wherever in a longer text the value stood. */
function alignedBase64(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)])
    const encoded = bytes.toString('base64').replace(/=+$/, '')
    const first = shift === 0 ? 0 : shift + 1
    return encoded.slice(first, bytes.length % 3 === 0 ? undefined : -1)
  })
}

export function formsOf(text: string): string[] {
  const base64 = alignedBase64(text)
  const hex = Buffer.from(text).toString('hex')
  return [
    ...new Set([
      text,
      ...base64,
      ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
      hex,
      hex.toUpperCase(),
      encodeURIComponent(text),
    ]),
  ]
}

/** Ends as grep does, above 1 in trouble. A log that was rotated is packed, and grep alone would pass over it. */
const SEARCH = `
needles=$(cat <&3)
look() { grep -aoFH -f <(printf '%s\\n' "$needles") "$@"; }
look -r -- "$@"
code=$?
[ "$1" != - ] || exit "$code"
while read -r packed; do
  gzip -dc -- "$packed" | look "--label=$packed"
  codes=("\${PIPESTATUS[@]}")
  if [ "\${codes[0]}" -gt 0 ] || [ "\${codes[1]}" -gt 1 ]; then code=2; fi
done < <(find "$@" -name '*.gz')
exit "$code"
`

/**
 * Where values stand, as `place: name`. grep looks for all forms at once; they go through a pipe, since arguments
 * and files are places of the kind that is searched.
 */
export async function find(
  values: readonly Value[],
  where: { readonly text: string; readonly place: string } | { readonly paths: readonly string[] },
  enter: readonly string[] = [],
): Promise<string[]> {
  const names = new Map(
    values.flatMap(({ name, text }) => formsOf(text).map((form) => [form, name])),
  )
  const targets = 'text' in where ? ['-'] : where.paths
  // What Node hands over is a socket, which grep cannot open by name; the shell makes a pipe of it.
  const search = ['bash', '-c', SEARCH, 'search', ...targets]
  const [program = '', ...args] = [...enter, ...search]
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })
  const needles = child.stdio[3] as NodeJS.WritableStream
  // It may end before it has read everything: its exit code says why.
  for (const stream of [needles, child.stdin]) stream.on('error', () => undefined)
  needles.end([...names.keys()].join('\n'))
  child.stdin.end('text' in where ? where.text : '')
  let found = ''
  let trouble = ''
  child.stdout.on('data', (chunk: Buffer) => (found += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (trouble += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number]
  // 1: nothing was found; 2: something could not be read, which a log that is being rotated may be.
  if (code > 1 && !/No such file/.test(trouble))
    throw new Error(`grep ended with ${code}: ${trouble}`)
  const hits = found.split('\n').filter(Boolean)
  return [
    ...new Set(
      hits.map((hit) => {
        const [, file = '', form = ''] = /^(.*?):(.*)$/s.exec(hit) ?? []
        return `${'text' in where ? where.place : file}: ${names.get(form) ?? 'a value'}`
      }),
    ),
  ]
}
