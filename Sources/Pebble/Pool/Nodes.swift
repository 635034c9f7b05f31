// SPDX-License-Identifier: Apache-2.0

/// How a pool keeps in touch with other machines.
public struct NodeContact: Sendable, Equatable {
  /// How long a node may take from its start to its first word; nil: a minute, or, where it may wait in Slurm's queue,
  /// without limit.
  public var joinTimeout: Duration?
  /// The silence after which each side says that it is there.
  public var beat: Duration
  /// The silence after which each side takes the other for lost.
  public var lostAfter: Duration

  public init(joinTimeout: Duration? = nil, beat: Duration = .seconds(2), lostAfter: Duration = .seconds(10)) {
    self.joinTimeout = joinTimeout
    self.beat = beat
    self.lostAfter = lostAfter
  }
}

extension NodeContact {
  func check() throws(PebbleError) {
    if let joinTimeout, joinTimeout <= .zero {
      throw PebbleError(.invalidArgument, "joinTimeout must be positive, not \(joinTimeout)")
    }
    guard beat > .zero, lostAfter > beat else {
      throw PebbleError(.invalidArgument, "beat must be positive, and lostAfter longer: \(beat), \(lostAfter)")
    }
  }
}

extension JobExecution {
  func check() throws(PebbleError) {
    switch self {
    case .processes, .inline: break
    case .nodes(let names, let command, let contact):
      guard !names.isEmpty, !command.isEmpty else {
        throw PebbleError(.invalidArgument, "there must be a node, and a command with a word")
      }
      try contact.check()
    case .slurm(let nodes, _, let contact):
      if let nodes, !(1...65_536).contains(nodes) {
        throw PebbleError(.invalidArgument, "nodes must be 1 to 65536, not \(nodes)")
      }
      try contact.check()
    }
  }
}
