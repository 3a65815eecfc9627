import { writeOrCheck } from '#api/gen/write'
import { admissionPoliciesTemplate } from './chart.ts'

await writeOrCheck([admissionPoliciesTemplate()], 'policies/')
