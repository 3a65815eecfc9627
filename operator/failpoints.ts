import { readFileSync } from 'node:fs'
import type { Failpoint } from './ports.ts'

export interface ArmedFailpoint {
  /** `<effect>.before` or `<effect>.after`. */
  readonly name: string
  readonly act: 'kill' | 'stop'
  /** Which passage of that place it takes. */
  readonly passage: number
  /** `<namespace>/<name>` of the one resource whose passages count; those of all others do not. */
  readonly of?: string
}

/** A file that holds the text of a failpoint or nothing, so that a process can be armed while it runs. */
export interface FailpointFile {
  readonly file: string
}

export type FailpointSetting = ArmedFailpoint | FailpointFile

export const noFailpoint: Failpoint = () => undefined

/** A failpoint that is armed from the start, or `@/a/file` that says at every passage what is armed. */
export const parseFailpointSetting = (text: string): FailpointSetting =>
  text.startsWith('@/') ? { file: text.slice(1) } : parseFailpoint(text)

const FAILPOINT =
  /^(?:(?<of>[a-z0-9-]+\/[a-z0-9.-]+):)?(?<name>[A-Za-z]+\.(?:before|after))(?::(?<act>kill|stop))?(?:@(?<passage>\d+))?$/

/** `publishValue.after:kill@2`: kill the process the second time it comes by; `shop/db:…`: with this resource. */
function parseFailpoint(text: string): ArmedFailpoint {
  const { of, name, act, passage = '1' } = FAILPOINT.exec(text)?.groups ?? {}
  if (name === undefined)
    throw new RangeError(`not a failpoint: "${text}"; write it like publishValue.after:kill@1`)
  return {
    name,
    act: act === 'stop' ? 'stop' : 'kill',
    passage: Number(passage),
    ...(of === undefined ? {} : { of }),
  }
}

/** Ends or stops this very process, as a power cut or a paused machine would: nothing gets the chance to tidy up. */
export const createFailpoint = (setting: FailpointSetting): Failpoint =>
  'file' in setting ? armedByFile(setting.file) : armedAt(setting)

function armedAt(armed: ArmedFailpoint): Failpoint {
  let passages = 0
  return (name, of) => {
    if (name !== armed.name) return
    if (armed.of !== undefined && armed.of !== of) return
    passages += 1
    if (passages !== armed.passage) return
    process.stderr.write(`failpoint ${name}: ${armed.act}\n`)
    process.kill(process.pid, armed.act === 'kill' ? 'SIGKILL' : 'SIGSTOP')
  }
}

/** Passages count from the first one that finds the file as it is now. */
function armedByFile(file: string): Failpoint {
  let text = ''
  let failpoint = noFailpoint
  return (name, of) => {
    const now = textOf(file)
    if (now !== text) {
      failpoint = now === '' ? noFailpoint : armedAt(parseFailpoint(now))
      text = now
    }
    return failpoint(name, of)
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
