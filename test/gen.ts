import { writeOrCheck } from '#api/gen/write'
import { metricsPage } from './support/metrics-page.ts'

// Here and not in a part of the product: no part imports gateway and operator both.
await writeOrCheck([metricsPage()], 'the metrics of the programs')
