import { type Output, writeOrCheck } from '#api/gen/write'
import { render } from './dashboards/dashboard.ts'
import { DASHBOARDS } from './dashboards.ts'

const outputs = (): readonly Output[] =>
  DASHBOARDS.map((wish) => ({
    path: `observability/dashboards/json/${wish.uid}.json`,
    text: `${JSON.stringify(render(wish), null, 2)}\n`,
  }))

await writeOrCheck(outputs(), 'observability/')
