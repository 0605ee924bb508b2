internal import HandoffCore

/// How many handoffs of one kind begin, and when.
struct Demand: Sendable {
  /// In which hours of the day requests are made.
  enum Hours: Sendable {
    /// Half past eight to half past six, two peaks: practices and clinics.
    case office
    /// Round the clock, least at five in the morning, most in the evening: urgent care.
    case urgent
    /// Wards: from the morning round on, most in the early afternoon.
    case ward
  }

  /// What becomes of a request.
  enum Course: Sendable {
    case referral, document
    /// A stay in hospital that ends with help, on this pathway.
    case discharge(pathway: UInt8)
  }

  var kind: String
  var priority: String
  /// On a working day in the region of 1.8 million.
  var perDay: Double
  /// How many as many on a day of rest.
  var weekend: Double
  /// How many as many from December to February.
  var winter: Double
  var hours: Hours
  var from: Region.Role
  var to: Region.Role
  var course: Course = .referral
  /// Where the number comes from.
  var basis: String

  /// A plausible day, kind by kind.
  ///
  /// England has 56.5 million people, the region 1.8: national figures are taken times 0.032. What
  /// has no figure is an assumption, and says so.
  static let all: [Demand] = referrals + urgent + discharges + letters

  private static let urgent: [Demand] = [
    Demand(
      kind: "ambulance-ed", priority: "urgent", perDay: 385, weekend: 1, winter: 1.1,
      hours: .urgent, from: .ambulance, to: .acute,
      basis: "SCAS Nov 2024: 52,250 calls, half conveyed, for some 4 million"),
    Demand(
      kind: "111-ucr", priority: "urgent", perDay: 27, weekend: 1.1, winter: 1.15,
      hours: .urgent, from: .ambulance, to: .urgentResponse,
      basis: "assumed: 65,000 UCR referrals a month in England, two in five from 111 and 999"),
    Demand(
      kind: "gp-ucr", priority: "urgent", perDay: 40, weekend: 0.3, winter: 1.15, hours: .office,
      from: .practice, to: .urgentResponse, basis: "assumed: the other three in five"),
    Demand(
      kind: "ed-mh-liaison", priority: "very-urgent", perDay: 30, weekend: 1, winter: 1,
      hours: .urgent, from: .acute, to: .mentalHealth, basis: "assumed: 2 % of ED attendances"),
    Demand(
      kind: "mh-crisis", priority: "urgent", perDay: 15, weekend: 0.9, winter: 1, hours: .urgent,
      from: .practice, to: .mentalHealth, basis: "assumed"),
    Demand(
      kind: "mh-crisis", priority: "very-urgent", perDay: 5, weekend: 1, winter: 1,
      hours: .urgent, from: .ambulance, to: .mentalHealth, basis: "assumed"),
    Demand(
      kind: "mutual-aid", priority: "c2", perDay: 3, weekend: 1, winter: 1.5, hours: .urgent,
      from: .ambulance, to: .urgentResponse, basis: "assumed"),
    Demand(
      kind: "virtual-ward", priority: "step-up", perDay: 8, weekend: 0.5, winter: 1.3,
      hours: .ward, from: .urgentResponse, to: .virtualWard, basis: "assumed"),
  ]

  private static let referrals: [Demand] = [
    Demand(
      kind: "gp-suspected-cancer", priority: "urgent", perDay: 380, weekend: 0, winter: 0.95,
      hours: .office, from: .practice, to: .acute,
      basis: "3.0 million urgent suspected cancer referrals a year in England"),
    Demand(
      kind: "gp-hospital", priority: "routine", perDay: 1300, weekend: 0, winter: 0.95,
      hours: .office, from: .practice, to: .acute,
      basis: "assumed: 13 million GP referrals a year in England, less cancer and urgent"),
    Demand(
      kind: "gp-hospital", priority: "urgent", perDay: 200, weekend: 0, winter: 1,
      hours: .office, from: .practice, to: .acute, basis: "assumed: one in eight"),
    Demand(
      kind: "diagnostics", priority: "routine", perDay: 550, weekend: 0.1, winter: 1,
      hours: .office, from: .practice, to: .diagnostics,
      basis: "assumed: 2.5 million DM01 tests a month in England, 15 % asked for by a GP"),
    Demand(
      kind: "gp-community-mh", priority: "routine", perDay: 60, weekend: 0, winter: 1,
      hours: .office, from: .practice, to: .mentalHealth, basis: "assumed"),
    Demand(
      kind: "mh-follow-up", priority: "routine", perDay: 8, weekend: 0.4, winter: 1, hours: .ward,
      from: .mentalHealth, to: .mentalHealth,
      basis: "RCPsych: 38,000 missed in 26 months at one in five, all of England"),
    Demand(
      kind: "social-prescribing", priority: "routine", perDay: 110, weekend: 0, winter: 1,
      hours: .office, from: .practice, to: .voluntary,
      basis: "assumed: 900,000 referrals a year in England"),
    Demand(
      kind: "pharmacy", priority: "routine", perDay: 250, weekend: 0.7, winter: 1.2,
      hours: .office, from: .practice, to: .pharmacy, basis: "assumed: 1.5 a practice a day"),
  ]

  private static let discharges: [Demand] = [
    Demand(
      kind: "home-care", priority: "routine", perDay: 35, weekend: 0.4, winter: 1.1,
      hours: .ward, from: .acute, to: .homeCare, course: .discharge(pathway: 1),
      basis: "assumed: 5 % of 700 discharges from beds a day"),
    Demand(
      kind: "hospital-council", priority: "routine", perDay: 38, weekend: 0.3, winter: 1.1,
      hours: .ward, from: .acute, to: .council, course: .discharge(pathway: 1),
      basis: "assumed: as many again assessed by the council"),
    Demand(
      kind: "hospital-council", priority: "urgent", perDay: 2, weekend: 1, winter: 1.1,
      hours: .ward, from: .acute, to: .council, basis: "assumed: 5 %"),
    Demand(
      kind: "community-bed", priority: "routine", perDay: 15, weekend: 0.5, winter: 1.2,
      hours: .ward, from: .acute, to: .communityHospital, course: .discharge(pathway: 2),
      basis: "assumed: 2 % of discharges from beds"),
    Demand(
      kind: "care-home", priority: "routine", perDay: 6, weekend: 0.3, winter: 1.1, hours: .ward,
      from: .acute, to: .careHome, course: .discharge(pathway: 3),
      basis: "assumed: fewer than 1 % of discharges from beds"),
    Demand(
      kind: "virtual-ward", priority: "routine", perDay: 12, weekend: 0.6, winter: 1.3,
      hours: .ward, from: .acute, to: .virtualWard, basis: "assumed: step-down"),
  ]

  private static let letters: [Demand] = [
    Demand(
      kind: "discharge-summary", priority: "routine", perDay: 1800, weekend: 0.8, winter: 1.05,
      hours: .ward, from: .acute, to: .practice, course: .document,
      basis: "assumed: 1,100 ED attendances and 700 discharges from beds a day"),
    Demand(
      kind: "outpatient-letter", priority: "routine", perDay: 6000, weekend: 0.05, winter: 0.95,
      hours: .office, from: .acute, to: .practice, course: .document,
      basis: "assumed: 130 million outpatient attendances a year in England, one letter in three"),
  ]
}

extension Demand.Hours {
  /// Requests of each hour of the day, of all.
  private var weights: [Int] {
    switch self {
    case .office:
      [0, 0, 0, 0, 0, 0, 0, 1, 6, 12, 13, 12, 8, 7, 10, 11, 10, 7, 2, 1, 0, 0, 0, 0]
    case .urgent:
      [4, 3, 3, 2, 2, 2, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 5, 5, 4]
    case .ward:
      [1, 1, 0, 0, 0, 0, 1, 2, 4, 7, 10, 12, 11, 11, 10, 9, 8, 5, 3, 2, 1, 1, 1, 1]
    }
  }

  /// The part of a day's requests that one hour has.
  func share(ofHour hour: Int) -> Double {
    Double(weights[hour]) / Double(weights.reduce(0, +))
  }
}

extension Demand {
  /// How many requests are to be expected in the hour that begins at `time`, in the region.
  func expected(inHourFrom time: Timestamp) -> Double {
    let wall = LondonTime(time)
    let isWorking = BusinessCalendar.england.isWorkingDay(wall.date, for: nil)
    let month = wall.date.components.month
    let hour = Int(wall.timeOfDay.nanoseconds / 3_600_000_000_000)
    let season = month == 12 || month <= 2 ? winter : 1
    return perDay * (isWorking ? 1 : weekend) * season * hours.share(ofHour: hour)
  }
}
