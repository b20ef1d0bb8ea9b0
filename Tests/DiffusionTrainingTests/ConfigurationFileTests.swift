import DiffusionTraining
import Foundation
import Testing

private struct Inner: Codable, Sendable, Equatable {
  enum Kind: String, Codable, Sendable, CaseIterable { case plain, fancy }
  var learningRate = 0.1
  var kind = Kind.plain
  var beta1: Double?
}

private struct Outer: Configuration {
  var steps = 10
  var channels = [1, 2]
  var name = "x"
  var flips = false
  var optimizer = Inner()
  var limit: Double? = 1

  func validate() throws(InvalidSetting) {
    if steps < 1 { throw InvalidSetting("steps", "expected at least 1, found \(steps)") }
  }
}

@Suite struct ConfigurationFileTests {
  private func read(_ text: String, _ settings: [String] = []) throws(TrainingError) -> Outer {
    try Outer(json: Data(text.utf8), source: "run.json", settings: settings)
  }

  private func message(_ text: String, _ settings: [String] = []) -> String {
    do {
      _ = try read(text, settings)
      return "no error"
    } catch {
      return error.description
    }
  }

  @Test func absentKeysTakeTheirDefaults() throws {
    #expect(try read("{}") == Outer())
    let read = try read(#"{"optimizer": {"beta1": 0.5}, "channels": [3]}"#)
    #expect(read.optimizer == Inner(beta1: 0.5))
    #expect(read.channels == [3])
  }

  @Test func nullTakesAnOptionalSettingAway() throws {
    #expect(try read(#"{"limit": null}"#).limit == nil)
  }

  @Test func settingsGoOverTheFile() throws {
    let read = try read(
      #"{"steps": 5}"#,
      ["steps=7", "optimizer.learning_rate=1e-3", "optimizer.kind=fancy", "name=3x", "flips=true"])
    #expect(read.steps == 7)
    #expect(read.optimizer == Inner(learningRate: 1e-3, kind: .fancy))
    #expect(read.name == "3x")
    #expect(read.flips)
  }

  @Test(arguments: [
    (#"{"step": 1}"#, #"run.json: step: unknown key; the nearest known one is "steps""#),
    (
      #"{"optimizer": {"beta": 1}}"#,
      #"run.json: optimizer.beta: unknown key; the nearest known one is "beta1""#
    ),
    (#"{"steps": "many"}"#, #"run.json: steps: expected an integer, found the text "many""#),
    (#"{"steps": 1.5}"#, "run.json: steps: expected an integer, found the number 1.5"),
    (#"{"steps": true}"#, "run.json: steps: expected an integer, found true"),
    (#"{"flips": 1}"#, "run.json: flips: expected true or false, found the integer 1"),
    (#"{"channels": 1}"#, "run.json: channels: expected a list, found the integer 1"),
    (
      #"{"channels": [1, "a"]}"#,
      #"run.json: channels.1: expected an integer, found the text "a""#
    ),
    (#"{"optimizer": 3}"#, "run.json: optimizer: expected an object, found the integer 3"),
    (
      #"{"optimizer": {"kind": "best"}}"#,
      #"run.json: optimizer.kind: expected one of "plain", "fancy", found the text "best""#
    ),
    (#"{"steps": 0}"#, "run.json: steps: expected at least 1, found 0"),
    (#"[1]"#, "run.json: expected an object, found a list"),
  ])
  func faultsNameTheKeyAndWhatWasExpected(text: String, expected: String) {
    #expect(message(text) == expected)
  }

  @Test func brokenDocumentsAreTold() {
    #expect(message("{").hasPrefix("run.json: the configuration cannot be read: no JSON: "))
    #expect(
      message("{}", ["steps"]) == "--set steps: expected key=value, such as training.steps=1000")
    #expect(
      message("{}", ["optimiser.kind=plain"])
        == #"run.json: optimiser: unknown key; the nearest known one is "optimizer""#)
    let missing = #expect(throws: TrainingError.self) { try Outer(path: "/nowhere/run.json") }
    #expect(missing?.description.contains("no such file") == true)
  }

  @Test func whatIsWrittenReadsBack() throws {
    var outer = Outer()
    outer.optimizer.learningRate = 0.25
    outer.steps = 3
    #expect(try read(outer.json()) == outer)
    #expect(outer.json().contains(#""learning_rate":0.25"#))
  }
}
