// SPDX-License-Identifier: Apache-2.0
internal import CPebble
internal import Glibc

/// Makes the C library's pool for where its jobs are to run.
func makePool(
  _ execution: JobExecution, _ config: inout pebble_pool_config, _ pool: inout OpaquePointer?
) -> Int32 {
  switch execution {
  case .processes, .inline:
    pebble_pool_new(&config, &pool)
  case .nodes(let names, let command, let contact):
    withWords(command) { command in
      withWords(names) { [count = names.count] words in
        words.withMemoryRebound(to: UnsafePointer<CChar>.self, capacity: count) { names in
          var nodes = pebble_nodes(
            command: command, names: names, count: count, program: nil,
            join_timeout: contact.joinTimeout?.nanoseconds ?? 0, beat: contact.beat.nanoseconds,
            lost_after: contact.lostAfter.nanoseconds)
          return pebble_node_pool_new(&config, &nodes, &pool)
        }
      }
    }
  case .slurm(let nodes, let options, let contact):
    withWords(options) { options in
      var slurm = pebble_slurm(
        nodes: UInt32(clamping: nodes ?? 0), options: options, program: nil,
        join_timeout: contact.joinTimeout?.nanoseconds ?? 0, beat: contact.beat.nanoseconds,
        lost_after: contact.lostAfter.nanoseconds)
      return pebble_slurm_pool_new(&config, &slurm, &pool)
    }
  }
}

extension PoolHandle {
  var nodeStatistics: [NodeStatistics] {
    let none = ""
    return none.withCString { none in
      var all: [NodeStatistics] = []
      var counts = pebble_node_statistics(
        name: none, state: PEBBLE_NODE_DOWN, slots: 0, running: 0, done: 0, lost_jobs: 0, joined: 0, losses: 0,
        silence: 0)
      while pebble_pool_get_node_statistics(pool, all.count, &counts) == 0 { all.append(NodeStatistics(counts)) }
      return all
    }
  }
}

extension NodeStatistics {
  fileprivate init(_ counts: pebble_node_statistics) {
    self.init(
      name: String(cString: counts.name), state: State(counts.state), slots: Int(counts.slots),
      running: Int(counts.running), done: Int(counts.done), lostJobs: Int(counts.lost_jobs), joined: Int(counts.joined),
      losses: Int(counts.losses), silence: .nanoseconds(counts.silence))
  }
}

extension NodeStatistics.State {
  fileprivate init(_ state: pebble_node_state) {
    switch state {
    case PEBBLE_NODE_STARTING: self = .starting
    case PEBBLE_NODE_UP: self = .up
    case PEBBLE_NODE_LEAVING: self = .leaving
    case PEBBLE_NODE_RESTING: self = .resting
    default: self = .down
    }
  }
}

/// C strings, ended with nil.
func withWords<R>(_ words: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> R) -> R {
  let copies = words.map { strdup($0)! }
  defer { for copy in copies { free(copy) } }
  let pointers = copies.map { UnsafePointer<CChar>?($0) } + [nil]
  return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
}
