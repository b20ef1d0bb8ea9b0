import Foundation
import TensorCheckpoints
import TensorCore
import Testing

@Suite struct LoadReportTests {
  private func file(_ folder: TemporaryFolder) throws -> SafetensorsFile {
    var writer = CheckpointWriter()
    writer.add("a.weight", Tensor([1.0, 2, 3, 4], shape: [2, 2]))
    writer.add("a.bias", Tensor([5.0, 6], shape: [2]))
    writer.add("b", Tensor([7.0], shape: [1]))
    try writer.write(to: folder.path("f"))
    return try SafetensorsFile(path: folder.path("f"))
  }

  @Test func loadsWhatIsExactlyThere() throws {
    let folder = try TemporaryFolder()
    let tensors = try file(folder).load([("b", [1]), ("a.weight", [2, 2]), ("a.bias", [2])])
    #expect(tensors.map(\.doubles) == [[7], [1, 2, 3, 4], [5, 6]])
  }

  @Test func refusesWhatDiffersBothWays() throws {
    let folder = try TemporaryFolder()
    let file = try file(folder)
    let expected = [("a.weight", [4]), ("a.bias", [2]), ("c", [3, 1])]
    let report = file.report(expected: expected)
    #expect(report.missing.map(\.name) == ["c"] && report.missing[0].shape == [3, 1])
    #expect(report.unexpected.map(\.name) == ["b"] && report.unexpected[0].shape == [1])
    #expect(report.mismatched.map(\.name) == ["a.weight"])
    #expect(report.mismatched[0].expected == [4] && report.mismatched[0].found == [2, 2])
    #expect(!report.isClean)
    #expect(throws: CheckpointError.mismatch(path: file.path, report: report)) {
      try file.load(expected)
    }
    #expect(
      CheckpointError.mismatch(path: "f", report: report).description
        == "f: 1 missing, 1 unexpected, 1 of another shape: missing \"c\" of shape [3, 1]; "
        + "unexpected \"b\" of shape [1]; \"a.weight\": expected shape [4], found [2, 2]")
  }

  @Test func longReportsAreCut() {
    let names = (0..<12).map { (name: "t\($0)", shape: [$0]) }
    #expect(
      LoadReport(expected: names, found: []).description
        == "12 missing: missing \"t0\" of shape [0]; missing \"t1\" of shape [1]; "
        + "missing \"t2\" of shape [2]; and 9 more")
    #expect(LoadReport(expected: names, found: names.reversed()).isClean)
  }

  @Test func namesAreTheirBytes() {
    let report = LoadReport(expected: [("caf\u{e9}", [])], found: [("cafe\u{301}", [])])
    #expect(report.missing.count == 1 && report.unexpected.count == 1)
  }

  @Test func keyMapsAreBijections() throws {
    let folder = try TemporaryFolder()
    let file = try file(folder)
    let map = KeyMap(
      names: [("b", "a")], prefixes: [.init("a.", "layer."), .init("x", "y")])
    let mapped = try MappedCheckpoint(file, map: map)
    #expect(Set(mapped.entries.map(\.name)) == ["layer.weight", "layer.bias", "a"])
    #expect(try mapped.tensor(named: "layer.bias").doubles == [5, 6])
    #expect(throws: CheckpointError.missing(path: file.path, name: "a.bias")) {
      try mapped.tensor(named: "a.bias")
    }
    var writer = CheckpointWriter()
    for entry in mapped.entries {
      writer.add(map.foreign(entry.name), try mapped.tensor(named: entry.name))
    }
    try writer.write(to: folder.path("copy"))
    #expect(
      try Data(contentsOf: URL(fileURLWithPath: folder.path("copy")))
        == Data(contentsOf: URL(fileURLWithPath: file.path)))
  }

  @Test func mapsThatLoseANameAreRefused() throws {
    let folder = try TemporaryFolder()
    let file = try file(folder)
    for map in [KeyMap(names: [("b", "a.bias")]), KeyMap(prefixes: [.init("a.", "b")])] {
      let error = #expect(throws: CheckpointError.self) {
        try MappedCheckpoint(file, map: map)
      }
      if map == KeyMap(names: [("b", "a.bias")]) {
        #expect(error?.description.contains(#"the name "a.bias" becomes "a.bias""#) == true)
      }
    }
  }
}
