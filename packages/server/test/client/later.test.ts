/** Commands of resources that this service does not have yet: the user is told so, and nothing crashes. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { clientTests } from './stage.ts'

/** Command line and the request that there is no route for. */
const LATER = {
  'capsule list': 'GET /v1/capsules',
  'capsule show mine': 'GET /v1/capsules/mine',
} as const

clientTests('later', (stage) => {
  for (const [line, request] of Object.entries(LATER)) {
    it(`${line} says that there is no such thing`, async () => {
      const said = await stage.admin.refused(line)
      assert.ok(said.startsWith(`There is no ${request}. (HTTP 404)`), said)
    })
  }

  it('those that print their failure say the same', async () => {
    for (const [line, request] of [['capsule delete mine', 'DELETE /v1/capsules/mine']] as const) {
      const { out, err } = await stage.admin.run(line)
      assert.ok(`${out}${err}`.includes(`There is no ${request}. (HTTP 404)`), out + err)
      assert.doesNotMatch(err, /Traceback/)
    }
  })

  it('a capsule cannot be made', async () => {
    const file = join(stage.directory, 'capsule.yaml')
    writeFileSync(file, 'kind: capsule\nmetadata: {name: mine}\nspec: {containers: [{image: busybox}]}\n')
    assert.match(
      await stage.admin.refused(`capsule create --file ${file}`),
      /There is no POST \/v1\/capsules. \(HTTP 404\)/,
    )
  })
})
