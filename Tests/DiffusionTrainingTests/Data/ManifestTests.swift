import DiffusionTraining
import Foundation
import Testing

@Suite struct ManifestTests {
  func read(_ text: String, _ name: String = "m.csv") throws -> Manifest {
    let folder = try DataFolder()
    return try Manifest(reading: folder.write(text, to: name))
  }

  /// What is wrong with a table, without its path.
  func fault(_ text: String, _ name: String = "m.csv") throws -> String {
    let folder = try DataFolder()
    let path = try folder.write(text, to: name)
    let error = #expect(throws: DataError.self) { try Manifest(reading: path) }
    return error?.description.replacingOccurrences(of: path, with: "m") ?? ""
  }

  @Test func quotesFollowTheStandard() throws {
    let table = try read("file,caption\r\na.png,\"one, \"\"two\"\"\nthree\"\r\n\r\nb.png,\n\"c\",d")
    #expect(table.columns == ["file", "caption"])
    #expect(
      table.rows.map(\.fields) == [["a.png", "one, \"two\"\nthree"], ["b.png", ""], ["c", "d"]])
    #expect(table.rows.map(\.line) == [2, 5, 6])
  }

  @Test func tabsHaveNoQuotes() throws {
    for name in ["m.tsv", "m.TSV", "m.txt"] {
      let table = try read("\u{FEFF}file\tcaption\na\tsay \"hi\", you\n", name)
      #expect(table.columns == ["file", "caption"], "\(name)")
      #expect(table.rows.map(\.fields) == [["a", "say \"hi\", you"]], "\(name)")
    }
    #expect(try read("a,b\n1,2", "m.txt").columns == ["a", "b"])
    #expect(try read("a\tb,c\n1,2", "m.csv").columns == ["a\tb", "c"])
  }

  @Test func faultsNameTheLine() throws {
    #expect(try fault("") == "m:1: expected a row of column names")
    #expect(try fault("a,b\n1,2\n3") == "m:3: expected 2 fields, found 1")
    #expect(try fault("a,b\n1,2,3") == "m:2: expected 2 fields, found 3")
    #expect(try fault("a,a\n") == "m:1: two columns are named \"a\"")
    #expect(try fault("a,b\n1,\"x\ny\nz") == "m:2: a quoted field has no closing quote")
    #expect(try fault("a\n\"x\"y") == "m:2: text follows the closing quote of a field")
    #expect(try fault("a\nx\"y").hasPrefix("m:2: a quote stands within a field"))
    let folder = try DataFolder()
    let path = try folder.write([97, 10, 0xFF, 10], to: "m.csv")
    #expect(
      throws: DataError.malformedManifest(path: path, line: 2, reason: "the text is not UTF-8")
    ) { try Manifest(reading: path) }
    #expect(throws: DataError.self) { try Manifest(reading: folder.path("none.csv")) }
  }
}
