import { describe, expect, it } from 'vitest'
import { witnessLines } from '../test/support/witness-log.ts'
import { WitnessReader } from './witness-lines.ts'

const id = '01890a5d-ac96-774b-bcce-b302099a8057'
const leaf = 'ab'.repeat(32)
const LINE = `{"level":"info","service":"gateway","audit":"${id}","leaf":"${leaf}","msg":"Committed audit record"}`
const AT = '2026-11-27T09:00:00.123456789Z'

const witnesses = (...lines: string[]) => witnessLines(lines.join('\n'))
const ONE = [{ id, leaf: Buffer.from(leaf, 'hex') }]

describe('WitnessReader', () => {
  it.each([
    ["the gateway's own output", [LINE]],
    ["the kubelet's file", [`${AT} stdout F ${LINE}`]],
    ['a time with a zone', [`2026-11-27T10:00:00.1+01:00 stdout F ${LINE}`]],
    [
      "pieces in the kubelet's file, with the other stream in between",
      [
        `${AT} stdout P ${LINE.slice(0, 90)}`,
        `${AT} stderr F something else`,
        `${AT} stdout P ${LINE.slice(90, 120)}`,
        `${AT} stderr P half a`,
        `${AT} stdout F ${LINE.slice(120)}`,
      ],
    ],
    ["Docker's file", [JSON.stringify({ log: `${LINE}\n`, stream: 'stdout', time: AT })]],
    [
      'what kubectl shows of several pods',
      [
        `[pod/sealer-7d9f8c6b5-x2x4q/sealer] {"level":"info","msg":"Sealing"}`,
        `[pod/gateway-6c5d8f9b7-abcde/gateway] ${LINE}`,
      ],
    ],
    ['much else', ['{"level":"info","msg":"Listening"}', 'not json', '', LINE, '[1]', 'null']],
  ])('finds a witness in %s', (_, lines) => {
    expect(witnesses(...lines)).toEqual(ONE)
  })

  it.each([
    ['a text that quotes one', [JSON.stringify({ msg: LINE })]],
    [
      'a path that quotes one',
      [`{"url":"/?x={\\"audit\\":\\"${id}\\",\\"leaf\\":\\"${leaf}\\"}"}`],
    ],
    ['a line that names its stranger before it', [`GET ${LINE}`]],
    ['a line that names a pod within it', [`{"msg":""}[pod/gateway-1/gateway] ${LINE}`]],
    ['a field of a field', [JSON.stringify({ body: JSON.parse(LINE) as object })]],
    ['the end of a line whose begin was rotated away', [`${AT} stdout F ${LINE.slice(40)}`]],
    ['the begin of a line at the end of the file', [`${AT} stdout P ${LINE.slice(0, 150)}`]],
    ['a leaf of another form', [LINE.replace(leaf, 'AB')]],
  ])('takes no witness from %s', (_, lines) => {
    expect(witnesses(...lines)).toEqual([])
  })

  it('forgets a line that never ends', () => {
    const reader = new WitnessReader()
    const piece = 'x'.repeat(700_000)
    for (let i = 0; i < 3; i += 1) reader.line(`${AT} stdout P ${piece}`)
    reader.line(`${AT} stdout F end`)
    expect(reader.line(`${AT} stdout F ${LINE}`)).toEqual(ONE[0])
  })
})
