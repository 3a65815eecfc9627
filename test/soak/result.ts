import type { Machine } from '../../bench/quiet.ts'

export interface Kill {
  readonly place: string
  /** Processes that died in this rotation: two when the heir, armed as well, came by its own place. */
  readonly died: number
  /** From the wish for a rotation to the proof that it was completed once. */
  readonly seconds: number
  /** What did not hold; absent when everything did. */
  readonly failure?: string
}

export interface SoakResult {
  readonly date: string
  readonly machine: Machine
  readonly loadBefore: number
  readonly seed: number
  readonly asked: number
  readonly minutes: number
  readonly kills: readonly Kill[]
}

const failuresOf = ({ kills }: SoakResult): readonly Kill[] =>
  kills.filter(({ failure }) => failure !== undefined)

/** A run is good when it killed as often as it was asked to and nothing was lost or done twice. */
export const isGood = (result: SoakResult): boolean =>
  result.kills.length === result.asked && failuresOf(result).length === 0

export function page(result: SoakResult): string {
  const { machine, kills, seed, asked, loadBefore } = result
  const seconds = kills.map((kill) => kill.seconds).sort((a, b) => a - b)
  const at = (share: number) => (seconds[Math.floor(share * (seconds.length - 1))] ?? 0).toFixed(1)
  const places = [...new Set(kills.map(({ place }) => place))].sort()
  const rows = places.map((place) => {
    const here = kills.filter((kill) => kill.place === place)
    const lost = here.filter(({ failure }) => failure !== undefined).length
    return `| \`${place}\` | ${here.length} | ${lost} |`
  })
  return [
    '# Killing the operator',
    '',
    'Written by `make soak`; the same order again: ' +
      `\`make soak ARGS="--kills ${asked} --seed ${seed}"\`.`,
    '',
    'Each time the leading operator, a real process, is ended by SIGKILL at one place of a rotation, and the replica that waits takes over. Now and then that one is killed on its way too. Then the world is asked: one version more, the new password logs in, the old one is refused by the server, nothing is in flight, and begin, publication and completion are each told once.',
    '',
    `${result.date}, commit ${machine.commit}; ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, load before ${loadBefore}.`,
    '',
    '| | |',
    '| --- | --- |',
    `| rotations in which the leader was killed | ${kills.length} of ${asked} |`,
    `| of these, with the heir killed too | ${kills.filter(({ died }) => died > 1).length} |`,
    `| rotations lost, repeated or left half done | ${failuresOf(result).length} |`,
    `| minutes | ${result.minutes.toFixed(1)} |`,
    `| seconds per rotation: median, 95th percentile, most | ${at(0.5)}, ${at(0.95)}, ${at(1)} |`,
    '',
    '| place | kills | failures |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n')
}
