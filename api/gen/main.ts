import { outputs } from './outputs.ts'
import { writeOrCheck } from './write.ts'

await writeOrCheck(outputs(), 'api/')
