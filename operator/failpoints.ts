import type { Failpoint } from './ports.ts'

export interface ArmedFailpoint {
  /** `<effect>.before` or `<effect>.after`. */
  readonly name: string
  readonly act: 'kill' | 'stop'
  /** Which passage of that place it takes. */
  readonly passage: number
}

export const noFailpoint: Failpoint = () => undefined

/** `publishValue.after:kill@2`: kill the process the second time it comes by. */
export function parseFailpoint(text: string): ArmedFailpoint {
  const match = /^([A-Za-z]+\.(?:before|after))(?::(kill|stop))?(?:@(\d+))?$/.exec(text)
  if (!match?.[1])
    throw new RangeError(`not a failpoint: "${text}"; write it like publishValue.after:kill@1`)
  return {
    name: match[1],
    act: match[2] === 'stop' ? 'stop' : 'kill',
    passage: Number(match[3] ?? 1),
  }
}

/** Ends or stops this very process, as a power cut or a paused machine would: nothing gets the chance to tidy up. */
export function createFailpoint(armed: ArmedFailpoint): Failpoint {
  let passages = 0
  return (name) => {
    if (name !== armed.name) return
    passages += 1
    if (passages !== armed.passage) return
    process.stderr.write(`failpoint ${name}: ${armed.act}\n`)
    process.kill(process.pid, armed.act === 'kill' ? 'SIGKILL' : 'SIGSTOP')
  }
}
