import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCpuList } from './cpuset.ts'

test('a list of cores is read as the kernel writes it', () => {
  const rows: readonly [string, number[]][] = [
    ['', []],
    ['3', [3]],
    ['0-2', [0, 1, 2]],
    ['1-4,6', [1, 2, 3, 4, 6]],
    [' 7 , 0-1,1 ', [0, 1, 7]],
  ]
  for (const [text, cpus] of rows) assert.deepEqual(parseCpuList(text), cpus, text)
})

test('what is no list of cores says what is wrong with it', () => {
  for (const text of ['x', '1-', '-1', '1-2-3', '^1', '0x1', '1000000']) {
    assert.throws(() => parseCpuList(text), /is not a core or a range of cores/, text)
  }
  assert.throws(() => parseCpuList('4-1'), /'4-1' ends before it begins/)
})
