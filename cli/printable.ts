/** What a terminal obeys instead of showing: controls of both sets, marks of direction, and line ends beyond ASCII. */
const SPOKEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** On one line, and nothing of it speaks to the terminal. */
export const printable = (text: string): string => text.replace(SPOKEN, '\u{fffd}')

/** The same value for whoever reads JSON; characters that would speak to a terminal are escaped, which JSON leaves open. */
export const printableJson = (value: unknown): string =>
  JSON.stringify(value).replace(SPOKEN, (character) =>
    // Of a pair each half by itself, as JSON has it.
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
