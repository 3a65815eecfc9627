/** Records that account for what is missing or changes in the log itself. */
const TYPES = ['audit.cut', 'audit.epoch-opened', 'audit.key-rotated']
const COMMON = Buffer.from('"eventType":"audit.')
const MARKS = TYPES.map((type) => Buffer.from(`"eventType":"${type}"`))

/** Whether these bytes may be one of them; each is kept whole. */
export const mayTell = (record: Buffer): boolean =>
  record.includes(COMMON) && MARKS.some((mark) => record.includes(mark))
