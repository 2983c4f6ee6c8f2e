/** Capsules on a real engine: what members share, in which order they run, and what becomes of them when parts fail. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, afterEach, before, describe, it } from 'node:test'
import { CapsuleStage, SERVES, WAITS } from '../support/capsule-stage.ts'
import { until } from '../support/until.ts'
import { ZundProcess } from '../support/zund-process.ts'

const INIT = { image: 'busybox', imagePullPolicy: 'never', volumeMounts: [{ name: 'work', mountPath: '/w' }] }
const VOLUME = { name: 'work', cinder: { size: 1, autoRemove: true } }

describe('a capsule', () => {
  let zund: ZundProcess
  let stage: CapsuleStage

  before(async () => {
    zund = await ZundProcess.start()
    stage = await CapsuleStage.on(zund)
  })
  after(async () => {
    stage.close()
    await zund.destroy()
  })
  afterEach(async () => {
    // Left by a test that failed: the next one is to begin with nothing.
    await stage.deleteAll()
    assert.deepEqual(await stage.engineHas(), [], 'an engine container is left')
    assert.ok(!readFileSync('/proc/mounts', 'utf8').includes(zund.stateDir), 'a mount is left')
  })

  const wget = (uuid: string, url = 'http://127.0.0.1:8080/served') => stage.exec({ uuid }, ['wget', '-qO-', url])

  it('has one network and one IPC namespace for all its containers, and mounts and processes of their own', async () => {
    const capsule = await stage.run({ containers: [SERVES, WAITS] })
    const [server, other] = capsule.containers
    assert.ok(server && other)
    assert.deepEqual([server.status, other.status], ['Running', 'Running'])
    assert.deepEqual([server.addresses, other.addresses], [null, null])
    assert.equal(await wget(other.uuid), 'served\n')
    const namespaces = async (kind: string) =>
      await Promise.all([server, other].map((member) => stage.exec(member, ['readlink', `/proc/self/ns/${kind}`])))
    for (const [kind, distinct] of [
      ['net', 1],
      ['ipc', 1],
      ['pid', 2],
      ['mnt', 2],
    ] as const) {
      assert.equal(new Set(await namespaces(kind)).size, distinct, kind)
    }
    const [list] = Object.values(capsule.addresses)
    const address = list?.find(({ version }) => version === 4)?.addr ?? 'none'
    for (const member of [server, other]) {
      assert.ok((await stage.exec(member, ['ip', '-4', 'addr'])).includes(`inet ${address}/`), 'each has the address')
    }
    assert.equal(await wget(other.uuid, `http://${address}:8080/served`), 'served\n')
    await stage.delete(capsule.uuid)
  })

  it('runs its init containers one after the other, and hands on what they leave in a volume', async () => {
    const capsule = await stage.run({
      initContainers: [
        { ...INIT, command: ['sh', '-c', 'sleep 1; echo first > /w/index.html'] },
        { ...INIT, command: ['sh', '-c', 'echo second >> /w/index.html'] },
      ],
      containers: [{ ...SERVES, volumeMounts: [{ name: 'work', mountPath: '/w' }] }, WAITS],
      volumes: [VOLUME],
    })
    assert.deepEqual(
      capsule.init_containers.map(({ status }) => status),
      ['Stopped', 'Stopped'],
    )
    const [, other] = capsule.containers
    assert.equal(await wget(other?.uuid ?? '', 'http://127.0.0.1:8080/index.html'), 'first\nsecond\n')
    await stage.delete(capsule.uuid)
    const { volumes } = await stage.client.expect<{ volumes: unknown[] }>(200, 'GET', '/v1/local/volumes')
    assert.deepEqual(volumes, [], 'a volume that was to go with it has gone')
  })

  it('fails with an init container that fails, says which one, and starts nothing after it', async () => {
    const made = await stage.create({
      restartPolicy: 'Never',
      initContainers: [{ ...INIT, command: ['sh', '-c', 'exit 7'] }],
      containers: [WAITS],
      volumes: [VOLUME],
    })
    const failed = await stage.waitFor(made.uuid, ({ status }) => status === 'Error')
    assert.equal(failed.status_reason, `Init container ${failed.init_containers[0]?.name} ended with exit code 7`)
    assert.ok(!(await stage.engineHas()).includes(`zun-${failed.containers[0]?.uuid}`))
    await stage.delete(made.uuid)
  })

  it('says why a container of it could not be started', async () => {
    const made = await stage.create({ containers: [WAITS, { ...WAITS, command: ['no-such-program'] }] })
    const failed = await stage.waitFor(made.uuid, ({ status }) => status === 'Error')
    assert.match(failed.status_reason ?? '', /no-such-program/)
    assert.ok(failed.status_reason?.includes(failed.containers[1]?.name ?? 'nobody'))
    await stage.delete(made.uuid)
  })

  it('keeps its address and its network when a container of it dies and is started again', async () => {
    const capsule = await stage.run({ containers: [SERVES, WAITS] })
    const [server, other] = capsule.containers
    assert.ok(server && other)
    const earlier = await stage.startedAt(server)
    await stage.killProcess(server)
    await until('it was started again', async () => (await stage.startedAt(server)) > earlier)
    await until('it serves again', async () => (await wget(other.uuid)) === 'served\nserved\n')
    assert.deepEqual((await stage.show(capsule.uuid)).addresses, capsule.addresses)
    await stage.delete(capsule.uuid)
  })

  it('is put together again when the container that holds its network dies', async () => {
    const capsule = await stage.run({ containers: [SERVES, WAITS] })
    const [server, other] = capsule.containers
    assert.ok(server && other)
    const earlier = await stage.startedAt(capsule)
    await stage.killProcess(capsule)
    await until('all have joined the new one', async () => {
      const sandbox = await stage.startedAt(capsule)
      const members = await Promise.all([server, other].map((member) => stage.startedAt(member)))
      return sandbox > earlier && members.every((started) => started > sandbox)
    })
    const mended = await stage.waitFor(capsule.uuid, ({ status }) => status === 'Running')
    assert.deepEqual(mended.addresses, capsule.addresses)
    await until('it serves again', async () => (await wget(other.uuid)) === 'served\nserved\n')
    const [list] = Object.values(capsule.addresses)
    const address = list?.find(({ version }) => version === 4)?.addr ?? 'none'
    assert.ok((await stage.exec(other, ['ip', '-4', 'addr'])).includes(`inet ${address}/`))
    await stage.delete(capsule.uuid)
  })

  it('stops when its containers have ended and are not to be started again', async () => {
    for (const [restartPolicy, code] of [
      ['Never', 3],
      ['OnFailure', 0],
    ] as const) {
      const made = await stage.create({
        restartPolicy,
        containers: [{ ...WAITS, command: ['sh', '-c', `exit ${code}`] }],
      })
      const ended = await stage.waitFor(made.uuid, ({ status }) => status === 'Stopped')
      assert.equal(ended.containers[0]?.status, 'Stopped', restartPolicy)
      await stage.delete(made.uuid)
    }
  })

  it('is deleted while its init containers are still at work', async () => {
    const made = await stage.create({ initContainers: [{ ...WAITS }], containers: [WAITS] })
    await stage.waitFor(made.uuid, ({ init_containers }) => init_containers[0]?.status === 'Running')
    await stage.delete(made.uuid)
  })

  it('and its containers are no containers of /v1/containers', async () => {
    const capsule = await stage.run({ containers: [WAITS] })
    const { containers } = await stage.client.expect<{ containers: unknown[] }>(200, 'GET', '/v1/containers')
    assert.deepEqual(containers, [])
    for (const { uuid } of [capsule, ...capsule.containers]) {
      for (const [method, path] of [
        ['GET', ''],
        ['GET', '/logs'],
        ['POST', '/stop'],
        ['DELETE', '?force=true'],
      ] as const) {
        const answer = await stage.client.call(method, `/v1/containers/${uuid}${path}`)
        assert.equal(answer.status, 404, `${method} ${path}: ${answer.text}`)
      }
    }
    await stage.delete(capsule.uuid)
  })
})
