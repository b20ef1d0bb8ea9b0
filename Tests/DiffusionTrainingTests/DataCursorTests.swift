import DiffusionTraining
import Foundation
import Testing

@Suite struct DataCursorTests {
  @Test func everyEpochIsAnotherPermutation() {
    var cursor = DataCursor(seed: 3, exampleCount: 40)
    let first = cursor.next(40)
    #expect(cursor.epoch == 1 && cursor.position == 0)
    let second = cursor.next(40)
    #expect(first.sorted() == Array(0..<40))
    #expect(second.sorted() == Array(0..<40))
    #expect(first != second && first != Array(0..<40))
  }

  @Test func batchesGoOnOverTheEndOfAnEpoch() {
    var whole = DataCursor(seed: 3, exampleCount: 10)
    var parts = whole
    let expected = whole.next(35)
    let taken = [3, 9, 13, 1, 9].flatMap { parts.next($0) }
    #expect(taken == expected)
    #expect(parts == whole && parts.epoch == 3 && parts.position == 5)
  }

  @Test(arguments: [0, 4, 10, 27])
  func aSavedCursorGoesOnWhereItStood(taken: Int) throws {
    var cursor = DataCursor(seed: 9, exampleCount: 10)
    _ = cursor.next(taken)
    let data = try JSONEncoder().encode(cursor)
    var restored = try JSONDecoder().decode(DataCursor.self, from: data)
    #expect(restored.next(23) == cursor.next(23))
  }
}
