// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import XCTest

private func double(_ n: Int) -> Int { n * 2 }
private func crash(_ n: Int) -> Int { [n][n] }

/// That workers come to be inside of an XCTest run, too.
final class EntryTests: XCTestCase {
  func testWorkersReachTheirEntryPoint() throws {
    for method in StartMethod.allCases {
      try withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
        let function = ProcessFunction(double) { ProcessCall($0).run(double) }
        XCTAssertEqual(try pool.schedule(function, 21).result(timeout: .seconds(30)), 42)
        let crashing = ProcessFunction(crash) { ProcessCall($0).run(crash) }
        XCTAssertThrowsError(try pool.schedule(crashing, 1).result(timeout: .seconds(30))) {
          XCTAssertTrue($0 is ProcessExpired)
        }
      }
    }
  }
}
