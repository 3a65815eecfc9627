import { readFileSync } from 'node:fs'
import type { Failpoint } from './ports.ts'

export interface ArmedFailpoint {
  /** `<effect>.before` or `<effect>.after`. */
  readonly name: string
  readonly act: 'kill' | 'stop'
  /** Which passage of that place it takes. */
  readonly passage: number
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

/** `publishValue.after:kill@2`: kill the process the second time it comes by. */
function parseFailpoint(text: string): ArmedFailpoint {
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
export const createFailpoint = (setting: FailpointSetting): Failpoint =>
  'file' in setting ? armedByFile(setting.file) : armedAt(setting)

function armedAt(armed: ArmedFailpoint): Failpoint {
  let passages = 0
  return (name) => {
    if (name !== armed.name) return
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
  return (name) => {
    const now = textOf(file)
    if (now !== text) {
      failpoint = now === '' ? noFailpoint : armedAt(parseFailpoint(now))
      text = now
    }
    return failpoint(name)
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
