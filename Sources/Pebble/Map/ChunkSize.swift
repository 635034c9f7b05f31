// SPDX-License-Identifier: Apache-2.0

/// How many elements of a map one job computes; more of them cost less each.
public struct ChunkSize: Sendable, Equatable, ExpressibleByIntegerLiteral {
  /// Nil: automatic.
  let count: Int?

  /// Begins with one, and then takes as many as run for some milliseconds.
  public static let automatic = ChunkSize(count: nil)

  public init(_ count: Int) {
    self.init(count: count)
  }

  public init(integerLiteral count: Int) {
    self.init(count: count)
  }

  private init(count: Int?) {
    self.count = count
  }
}

/// The size of the next chunk.
struct ChunkSizer {
  /// The running time that a chunk should have.
  static let target: Int64 = 5_000_000
  static let most = 65_536

  private(set) var size: Int
  /// What a chunk takes of late, in nanoseconds; nil before the first.
  private(set) var chunkTime: Int64?
  private let isAutomatic: Bool

  init(_ chunkSize: ChunkSize) {
    size = chunkSize.count ?? 1
    isAutomatic = chunkSize.count == nil
  }

  /// Learns from a chunk that succeeded.
  mutating func learn(_ count: Int, ran nanoseconds: Int64) {
    chunkTime = chunkTime.map { ($0 * 3 + nanoseconds) / 4 } ?? nanoseconds
    guard isAutomatic, count > 0 else { return }
    let each = max(nanoseconds / Int64(count), 1)
    size = min(max(Int(Self.target / each), 1), size * 4, Self.most)
  }
}
