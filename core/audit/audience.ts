/** To whom a piece of evidence proves something: to everybody else it is the word of whoever gave it. */
export const TO = {
  everybody: 'to everybody',
  keys: 'to whoever knows that the keys given are those of this log',
  checkpoints: 'to whoever kept the checkpoints',
  witness: 'to whoever kept the lines of the witness',
  macKeys: 'to whoever holds the MAC keys, which write records as well',
} as const
