import type { Command } from './command.ts'

/** How these commands are called and what for, and where they find what no argument may name. */
export const help = (commands: readonly Command[]): string[] => [
  'palisade <command>; --help behind a command shows that one',
  '',
  ...commands.flatMap(({ usage, summary }) => [`  palisade ${usage}`, `      ${summary}`]),
  '',
  'The database is named by PALISADE_DATABASE_URL_FILE, PALISADE_DATABASE_URL or PGHOST, never by an argument.',
  '`audit search` and `audit timeline` ask the gateway at PALISADE_URL with the token in PALISADE_TOKEN_FILE',
  '(PALISADE_CA_FILE: its authority).',
]
