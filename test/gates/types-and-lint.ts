import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { ESLint } from 'eslint'
import ts from 'typescript'

const ROOT = join(import.meta.dirname, '../..')

/**
 * Types, lint and format of a fresh checkout: what `npm run types` and `npm run lint` say, which remember what they
 * saw last. With nothing to remember, each of the two reads the same thousand files and works out the same types, and
 * that is most of what they do; here both ask one program.
 */
const prettier = spawn('prettier', ['--check', '--log-level', 'warn', '.'], {
  cwd: ROOT,
  stdio: 'inherit',
})
const formatted = once(prettier, 'exit') as Promise<[number | null]>

const program = programOf(join(ROOT, 'tsconfig.json'))
const wrongTypes = ts.getPreEmitDiagnostics(program)
if (wrongTypes.length > 0)
  console.error(ts.formatDiagnosticsWithColorAndContext(wrongTypes, host()))

const eslint = new ESLint({
  cwd: ROOT,
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, programs: [program] } },
  },
})
const linted = await eslint.lintFiles(['.'])
const told = await (await eslint.loadFormatter('stylish')).format(linted)
if (told) console.error(told)

const [code] = await formatted
const isClean = wrongTypes.length === 0 && linted.every(({ messages }) => messages.length === 0)
process.exitCode = isClean && code === 0 ? 0 : 1

function programOf(config: string): ts.Program {
  const parsed = ts.getParsedCommandLineOfConfigFile(config, undefined, {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (wrong) => {
      throw new Error(ts.formatDiagnostic(wrong, host()))
    },
  })
  if (!parsed) throw new Error(`${config} cannot be read`)
  const { fileNames: rootNames, options, errors: configFileParsingDiagnostics } = parsed
  return ts.createProgram({ rootNames, options, configFileParsingDiagnostics })
}

function host(): ts.FormatDiagnosticsHost {
  return {
    getCurrentDirectory: () => ROOT,
    getCanonicalFileName: (name) => name,
    getNewLine: () => '\n',
  }
}
