/** From create to delete. What the client shows is compared with what the engine has. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import type { ContainerBody } from '../support/api-client.ts'
import { until } from '../support/until.ts'
import { PATIENT, type Stage } from './stage.ts'

/** Values with blanks need a list; the rest reads better as it is typed. */
const OPTIONS = [
  '--environment=COLOUR=deep blue',
  ...'--environment EMPTY= --label tier=web --label n=1 --restart on-failure:3 --interactive'.split(' '),
  ...'--healthcheck cmd=true,interval=90,retries=4,timeout=5s --availability-zone nova'.split(' '),
  ...'--hint colour=any --auto-heal'.split(' '),
  ...'--security-group default --mount size=1,destination=/data'.split(' '),
]

export function lifeTests(stage: Stage): void {
  it('create takes every option, shows them again, and the engine gets them', async () => {
    const file = join(stage.directory, 'motd')
    writeFileSync(file, 'hello from a file')
    const shown = await stage.demo.json<ContainerBody>(
      'appcontainer create --name full --cpu 0.5 --memory 64 --workdir /tmp --hostname fullhost',
      ...OPTIONS.concat('--mount', `type=bind,source=${file},destination=/etc/motd`),
      ...['--entrypoint', 'sh -c'].concat(stage.busybox.split(' '), 'sleep 1000'),
    )
    const expected = {
      name: 'full',
      image: 'busybox',
      image_driver: stage.place.imageDriver,
      command: ['sleep 1000'],
      entrypoint: ['sh', '-c'],
      cpu: 0.5,
      memory: '64',
      environment: { COLOUR: 'deep blue', EMPTY: '' },
      labels: { tier: 'web', n: '1' },
      workdir: '/tmp',
      hostname: 'fullhost',
      restart_policy: { Name: 'on-failure', MaximumRetryCount: '3' },
      interactive: true,
      tty: true,
      auto_heal: true,
      auto_remove: false,
      healthcheck: { test: 'true', interval: 90, retries: 4, timeout: 5 },
      status: 'Creating',
    }
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, shown[key]])), expected)

    assert.match(String(shown['security_groups']), /^[0-9a-f-]{36}$/)
    await stage.settled('full', 'Created')
    const { Config, HostConfig, State, Mounts } = await stage.inspect(shown)
    assert.equal(State.Status, 'created')
    assert.deepEqual(Config.Env.slice(0, 2).toSorted(), ['COLOUR=deep blue', 'EMPTY='])
    assert.deepEqual([Config.Entrypoint, Config.Cmd], [['sh', '-c'], ['sleep 1000']])
    assert.deepEqual([Config.Labels['tier'], Config.Labels['n']], ['web', '1'])
    assert.deepEqual(
      [Config.WorkingDir, Config.Hostname, Config.OpenStdin, Config.Tty],
      ['/tmp', 'fullhost', true, true],
    )
    assert.deepEqual(Config.Healthcheck?.Test, ['CMD-SHELL', 'true'])
    assert.equal(HostConfig.Memory, 64 * 1024 * 1024)
    assert.deepEqual(HostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 3 })
    assert.equal(HostConfig.Privileged, false)
    assert.deepEqual(Mounts.map((mount) => mount.Destination).toSorted(), ['/data', '/etc/motd'])

    await stage.demo.ok('appcontainer start full')
    await stage.settled('full', 'Running')
    assert.equal(await stage.demo.ok('appcontainer exec full cat /etc/motd'), 'hello from a file\n')
    assert.match(await stage.demo.ok('appcontainer exec full', 'sh', '-c', 'df -h /data | tail -1'), /\/data\n/)
  })

  it('create says why it does not', async () => {
    const { demo, admin } = stage
    const cases = [
      [demo, '--memory 1', /memory.*\(HTTP 400\)/],
      [demo, '--registry nowhere', /Registry nowhere could not be found. \(HTTP 404\)/],
      [demo, '--net network=nowhere', /Network nowhere could not be found. \(HTTP 404\)/],
      [demo, '--host elsewhere', /container:create:requested_destination .*\(HTTP 403\)/],
      [demo, '--runtime runc', /container:create:runtime .*\(HTTP 403\)/],
      [demo, '--privileged', /container:create:privileged .*\(HTTP 403\)/],
      [demo, '--restart sometimes', /restart_policy.*no, always, on-failure, unless-stopped \(HTTP 400\)/],
      [demo, '--expose-port 99999', /exposed_ports.*between 1 and 65535 \(HTTP 400\)/],
      [demo, '--mount source=nothing,destination=/x', /Volume nothing could not be found. \(HTTP 404\)/],
      [demo, '--mount size=0,destination=/x', /size.*minimum of 1 \(HTTP 400\)/],
      [demo, '--cpu many', /cpu.*not a number \(HTTP 400\)/],
      [admin, '--host elsewhere', /Compute host elsewhere could not be found. \(HTTP 404\)/],
      [admin, '--privileged', /container:create:privileged .*\(HTTP 403\)/],
    ] as const
    for (const [user, options, why] of cases) {
      assert.match(await user.refused(`appcontainer create --name refused ${options} ${stage.busybox}`), why)
    }
    for (const user of [demo, admin]) assert.deepEqual(await user.json('appcontainer list --name refused'), [])
  })

  it('an admin chooses host and runtime; when no host fits, the status reason says which filter left none', async () => {
    const [{ Host: host }] = await stage.admin.json<[{ Host: string }]>('appcontainer service list')
    const shown = await stage.admin.json<ContainerBody>(
      `appcontainer create --name placed --host ${host} --runtime runc ${stage.busybox}`,
    )
    assert.deepEqual([shown['host'], shown['runtime']], [host, 'runc'])
    await until('it is created', async () => {
      return (await stage.admin.json<ContainerBody>('appcontainer show placed')).status === 'Created'
    })
    const { HostConfig } = await stage.inspect(shown)
    assert.equal(HostConfig.Runtime, 'runc')
    for (const [options, filter] of [
      ['--runtime nonesuch', 'RuntimeFilter removed 1'],
      ['--availability-zone mars', 'AvailabilityZoneFilter removed 1'],
    ] as const) {
      const nowhere = await stage.admin.json<ContainerBody>(`appcontainer create ${options} ${stage.busybox}`)
      assert.equal(nowhere.status, 'Error')
      assert.match(String(nowhere.status_reason), new RegExp(`^There are not enough hosts available.*${filter}`))
    }
  })

  it('a disk size finds no host where engines have no quotas, and the reason says so', async () => {
    const [{ hostname }] = await stage.admin.json<[{ hostname: string }]>('appcontainer host list')
    const host = await stage.admin.json<Record<string, unknown>>('appcontainer host show', hostname)
    await stage.demo.ok(`appcontainer create --name roomy --disk 2 ${stage.busybox}`)
    const { status, status_reason: reason } = await until('the create is over', async () => {
      const found = await stage.demo.json<ContainerBody>('appcontainer show roomy')
      return found.status !== 'Creating' && found
    })
    if (host['disk_quota_supported'] === true) assert.equal(status, 'Created')
    else
      assert.match(
        `${status}: ${reason}`,
        /^Error: There are not enough hosts .*DISK_QUOTA removed 1: no support for disk quotas/,
      )
    await stage.demo.ok('appcontainer delete roomy')
  })

  it('exposed ports are shown once the container is made', async () => {
    await stage.demo.ok(`appcontainer create --name web --expose-port 80 --expose-port 53/udp ${stage.busybox}`)
    await stage.settled('web', 'Created')
    const shown = await stage.demo.json<ContainerBody>('appcontainer show web')
    assert.deepEqual(shown['ports'], [53, 80])
    await stage.demo.ok('appcontainer delete web')
  })

  it('over the quota nothing is made, and the numbers are said', async () => {
    // Of the admin's project, which the other tests hardly use.
    const { uuid } = await stage.admin.json<ContainerBody>(`appcontainer create --cpu 16 ${stage.busybox}`)
    const refused = await stage.admin.refused(`appcontainer create --cpu 16 ${stage.busybox}`)
    assert.match(refused, /Quota exceeded for resources: cpu \(cpu: \d+.* of 20 used, 16 more asked\) \(HTTP 403\)/)
    await stage.admin.ok('appcontainer delete --force', uuid)
    await until('it is gone', async () => {
      return (await stage.admin.json<ContainerBody[]>('appcontainer list')).every((row) => row.uuid !== uuid)
    })
  })

  it('run starts the command, and what it printed and how it ended is seen', async () => {
    const shown = await stage.demo.json<ContainerBody>(
      `appcontainer run --name short ${stage.busybox}`,
      'sh',
      '-c',
      'echo "$0 and out"; exit 7',
      'in',
    )
    assert.deepEqual(shown['command'], ['sh', '-c', 'echo "$0 and out"; exit 7', 'in'])
    const stopped = await stage.settled('short', 'Stopped')
    assert.match(String(stopped.status_detail), /^Exited\(7\)/)
    assert.equal((await stage.inspect(shown)).State.ExitCode, 7)
    assert.equal(await stage.demo.ok('appcontainer logs short'), 'in and out\n\n')
  })

  it('with --auto-remove the container is gone when its command has ended', async () => {
    const shown = await stage.demo.json<ContainerBody>(
      `appcontainer run --name brief --auto-remove ${stage.busybox} true`,
    )
    await stage.api.waitGone(shown.uuid)
    assert.match(await stage.demo.refused('appcontainer show brief'), /Container brief could not be found/)
    await assert.rejects(stage.inspect(shown), /404/)
  })

  it('start, stop, pause, unpause, restart and kill do it to the engine, and accept several containers', async () => {
    const { demo } = stage
    const [one, two] = [await stage.running('one'), await stage.running('two')]
    const both = async (command: string, words: RegExp, status: string, engine: string) => {
      const out = await demo.ok(`appcontainer ${command} one two`)
      assert.equal(out.match(words)?.length, 2, out)
      for (const container of [one, two]) {
        await stage.settled(container.uuid, status)
        assert.equal((await stage.inspect(container)).State.Status, engine)
      }
    }
    await both('pause', /Request to pause container \w+ has been accepted/g, 'Paused', 'paused')
    await both('unpause', /Request to unpause container \w+ has been accepted/g, 'Running', 'running')
    const before = (await stage.inspect(one)).State.StartedAt
    await both('restart --timeout 5', /Request to restart container \w+ has been accepted/g, 'Running', 'running')
    assert.ok((await stage.inspect(one)).State.StartedAt > before)
    await both('stop', /Request to stop container \w+ has been accepted/g, 'Stopped', 'exited')
    await both('start', /Request to start container \w+ has been accepted/g, 'Running', 'running')
    await both('kill', /Request to send kill signal to container \w+ has been accepted/g, 'Stopped', 'exited')
    assert.equal((await stage.inspect(one)).State.ExitCode, 137)
  })

  it('kill --signal sends just that signal', async () => {
    await stage.running('listener', '', ['sh', '-c', 'trap "echo got it" USR1; while :; do sleep 0.05; done'])
    assert.match(await stage.demo.ok('appcontainer kill --signal NONE listener'), /signal.*\(HTTP 400\)/)
    await stage.demo.ok('appcontainer kill --signal USR1 listener')
    await until('the process has heard it', async () => {
      return (await stage.demo.ok('appcontainer logs listener')).includes('got it')
    })
    assert.equal((await stage.settled('listener', 'Running')).status_reason, null)
  })

  it('a wrong state is said in the words of the state, and nothing changes', async () => {
    await stage.demo.ok(`appcontainer create --name idle ${stage.busybox}`)
    const { uuid } = await stage.settled('idle', 'Created')
    for (const verb of ['stop', 'pause', 'unpause', 'kill']) {
      const out = await stage.demo.ok(`appcontainer ${verb} idle`)
      assert.match(out, new RegExp(`Cannot ${verb} container ${uuid} in Created state \\(HTTP 409\\)`))
    }
    assert.equal((await stage.api.show('idle')).status, 'Created')
  })

  it('set changes name, memory, cpu and auto-heal, also of the running engine container', async () => {
    const container = await stage.running('before')
    const shown = await stage.demo.json<ContainerBody>(
      'appcontainer set before --name after --memory 96 --cpu 0.25 --auto-heal',
    )
    assert.deepEqual(
      [shown.uuid, shown.name, shown['memory'], shown['cpu'], shown['auto_heal']],
      [container.uuid, 'after', '96', 0.25, true],
    )
    await stage.settled('after', 'Running')
    assert.equal((await stage.inspect(container)).HostConfig.Memory, 96 * 1024 * 1024)
    const calm = await stage.demo.json<ContainerBody>('appcontainer set after --no-auto-heal')
    assert.equal(calm['auto_heal'], false)
    assert.match(await stage.demo.refused('appcontainer set after --memory 1'), /memory.*\(HTTP 400\)/)
    assert.match(
      await stage.demo.refused('appcontainer set before --name other'),
      /Container before could not be found/,
    )
  })

  it('rebuild makes the engine container anew and keeps name and addresses', async () => {
    const container = await stage.running('again')
    await stage.demo.ok('appcontainer exec again touch /here')
    assert.match(
      await stage.demo.ok('appcontainer rebuild again --image busybox'),
      /Request to rebuild container again has been accepted/,
    )
    const rebuilt = await stage.settled('again', 'Running')
    assert.deepEqual(rebuilt.addresses, container.addresses)
    const { code, out } = await stage.demo.run('appcontainer exec again ls /here')
    assert.deepEqual([code, /No such file/.test(out)], [1, true])
  })

  it('--wait waits for the end of create, run, rebuild and delete, and tells a failure', async () => {
    const { demo, admin } = stage
    // The client looks every five seconds: all at once, so that it is waited for only once.
    await stage.running('waited')
    await demo.ok(`appcontainer create --name doomed ${stage.busybox}`)
    await stage.settled('doomed', 'Created')
    const [created, ran, rebuilt, removed, failed] = await Promise.all([
      demo.json<ContainerBody>(`appcontainer create --wait --name w1 ${stage.busybox}`),
      demo.json<ContainerBody>(`appcontainer run --wait --name w2 ${stage.busybox}`, ...PATIENT),
      demo.ok('appcontainer rebuild --wait waited'),
      demo.ok('appcontainer delete --wait doomed'),
      admin.run(`appcontainer run --wait --name w3 ${stage.busybox} /nonexistent`),
    ])
    assert.equal(created.status, 'Created')
    assert.equal(ran.status, 'Running')
    assert.match(rebuilt, /rebuild container waited success/)
    assert.match(removed, /Delete for container doomed success/)
    assert.match(failed.out, /Failed to run container/)
    const broken = await admin.json<ContainerBody>('appcontainer show w3')
    assert.equal(broken.status, 'Error')
    assert.match(String(broken.status_reason), /nonexistent/)
  })

  it('delete wants --stop or --force for what runs, takes several, and tells of those that are not there', async () => {
    const { demo } = stage
    const running = await stage.running('r1')
    await demo.ok(`appcontainer create --name c1 ${stage.busybox}`)
    const created = await stage.settled('c1', 'Created')
    const refused = await demo.ok('appcontainer delete r1')
    assert.match(refused, /Delete for container r1 failed: Cannot delete container .* in Running state \(HTTP 409\)/)
    const out = await demo.ok('appcontainer delete --stop r1 c1 nobody')
    assert.match(out, /Request to delete container r1 has been accepted/)
    assert.match(out, /Request to delete container c1 has been accepted/)
    assert.match(out, /Delete for container nobody failed: Container nobody could not be found. \(HTTP 404\)/)
    for (const container of [running, created]) {
      await stage.api.waitGone(container.uuid)
      await assert.rejects(stage.inspect(container), /404/)
    }
    const forced = await stage.running('r2')
    assert.match(await demo.ok('appcontainer delete --force r2'), /container:delete_force .*\(HTTP 403\)/)
    await stage.admin.ok('appcontainer delete --force --all-projects', forced.uuid)
    await stage.api.waitGone(forced.uuid)
    await assert.rejects(stage.inspect(forced), /404/)
  })
}
