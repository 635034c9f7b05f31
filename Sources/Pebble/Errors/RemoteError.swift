// SPDX-License-Identifier: Apache-2.0

/// An error that a job threw and that cannot come back as itself, because it is not `Codable` or its type has no name
/// outside of its scope (private, local).
public struct RemoteError: Error, Sendable, CustomStringConvertible {
  /// The full name of the error's type.
  public let typeName: String
  /// How the error described itself.
  public let description: String
  /// Where it was thrown, in the worker; nil when that is not known, see ``RemoteBacktrace/init(of:)``.
  public let backtrace: RemoteBacktrace?
}

extension RemoteError: Equatable {
  /// Whether type and description are the same, wherever they were thrown.
  public static func == (left: RemoteError, right: RemoteError) -> Bool {
    left.typeName == right.typeName && left.description == right.description
  }
}
