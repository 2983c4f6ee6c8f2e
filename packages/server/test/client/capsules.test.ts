import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { capsulesTests, file, gone, running, YAML } from './capsules.ts'
import { clientTests } from './stage.ts'

clientTests('capsules', (stage) => {
  capsulesTests(stage)

  it('the examples of the documents work', async () => {
    const { demo } = stage
    const documents = join(import.meta.dirname, '../../../..')
    const page = readFileSync(join(documents, 'docs/api/capsules.md'), 'utf8')
    const [, example = ''] = /^```yaml\n(.*?)^```/ms.exec(page) ?? []
    await demo.ok(`capsule create --file ${file(stage, 'pod.yaml', example)}`)
    await running(stage, 'pod')
    const readMe = readFileSync(join(documents, 'README.md'), 'utf8')
    const [, indented = ''] = /<<'END'\n(.*?)\n {4}END/s.exec(readMe) ?? []
    // There is no registry in reach of the test.
    const pair = indented
      .replaceAll(/^ {4}/gm, '')
      .replaceAll('image: busybox', 'image: busybox, imagePullPolicy: Never')
    await demo.ok(`capsule create --file ${file(stage, 'pair.yaml', pair)}`)
    const { addresses } = await running(stage, 'pair')
    assert.notEqual(addresses, '')
    await demo.ok('capsule delete pod pair')
    for (const name of ['pod', 'pair']) await gone(stage, name)
  })

  it('the package’s older client does the same', async () => {
    const zun = async (line: string): Promise<string> => await stage.demo.zun(line)
    assert.match(
      await zun(`capsule-create -f ${file(stage, 'old.yaml', YAML.replace('name: web', 'name: old'))}`),
      /accepted/,
    )
    await running(stage, 'old')
    assert.match(await zun('capsule-list'), / old .* Running /)
    assert.match(await zun('capsule-describe old'), /status +\| Running/)
    assert.equal((JSON.parse(await zun('capsule-describe -f json old')) as { name: string }).name, 'old')
    assert.match(await zun('capsule-delete old zzz'), /old has been accepted/)
    for (const name of ['old', 'zzz']) await gone(stage, name)
  })
})
