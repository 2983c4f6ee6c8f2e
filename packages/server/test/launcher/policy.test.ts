import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { until } from '../support/until.ts'
import { Service } from './service.ts'

test('a running service takes up new rules, keeps the last good ones, and says so once', async (t) => {
  const service = await Service.prepare(t)
  const up = await service.up()
  assert.equal(up.code, 0, up.complaints.join('\n'))
  const member = await service.client('zund')
  const hosts = async () => (await member.call('GET', '/v1/hosts')).status
  const replace = (text: string): void => {
    writeFileSync(join(service.stateDir, 'new.yaml'), text)
    renameSync(join(service.stateDir, 'new.yaml'), join(service.stateDir, 'policy.yaml'))
  }
  const told = (words: string) =>
    service
      .read('zund.log')
      .split('\n')
      .filter((line) => line.includes(words))
  assert.equal(await hosts(), 403)
  replace('"host:get_all": "role:member"\n')
  await until('the member may', async () => (await hosts()) === 200)

  replace('"host:get_all": "role:admin')
  await until('the trouble is told', async () => (await hosts()) === 200 && told('the last good rules stay').length > 0)
  replace('"host:get_all": "role:nobody or"\n')
  await until('a rule with a mistake in it denies', async () => (await hosts()) === 403)
  assert.equal(told('the last good rules stay').length, 1)
  const [mistake, ...others] = told('rule host:get_all, position 15: a check is missing at the end')
  assert.ok(mistake?.includes('a rule of the policy denies'), mistake)
  assert.deepEqual(others, [])

  const list = await service.zund('policy', ['list'])
  assert.equal(list.code, 1)
  assert.match(list.out, /^host:get_all +role:nobody or +overridden +list hosts$/m)
  assert.deepEqual(list.complaints, ['zund policy: rule host:get_all, position 15: a check is missing at the end'])
})

test('up does not serve with a policy that it cannot read', async (t) => {
  const service = await Service.prepare(t)
  assert.equal((await service.up()).code, 0)
  await service.zund('down')
  service.write('policy.yaml', '- role:admin\n')
  const up = await service.up()
  assert.equal(up.code, 1)
  assert.deepEqual(up.complaints, [
    `zund up: policy file ${join(service.stateDir, 'policy.yaml')}: it is not a mapping of names to rules`,
  ])
})
