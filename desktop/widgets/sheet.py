"""The text of the one style sheet, with ``@token@`` places. Never names a colour or a size: those come from the tokens."""

__all__ = ["SHEET"]

SHEET = """
* { font-family: @family@; font-size: @t_body@; color: @c_text@; outline: 0; }
QMainWindow, QDialog, QWidget[role="ground"] { background: @c_ground@; }
QWidget[role="practice-edge"] { background: @c_practice@; }
QWidget[role="bar"] { background: @c_surface@; }
QWidget[role="bar"][edge="bottom"] { border-bottom: 1px solid @c_hairline@; }
QWidget[role="bar"][edge="top"] { border-top: 1px solid @c_hairline@; }
QWidget[role="side"] { background: @c_side@; }
QWidget[role="side"][edge="right"] { border-right: 1px solid @c_hairline@; }
QWidget[role="side"][edge="left"] { border-left: 1px solid @c_hairline@; }
QFrame[role="card"] { background: @c_surface@; border: 1px solid @c_hairline@; border-radius: @r_card@; }
QFrame[role="card"][focused="true"] { border: 2px solid @c_accent@; }
QFrame[role="band"] { border: 0; border-radius: @r_card@; background: @c_side@; }
QFrame[role="band"][tone="good"] { background: @c_good_soft@; }
QFrame[role="band"][tone="wait"] { background: @c_wait_soft@; }
QFrame[role="well"] { background: @c_side@; border: 1px solid @c_hairline@; border-radius: @r_card@; }
QFrame[role="hairline"] { background: @c_hairline@; max-height: 1px; min-height: 1px; border: 0; }
QScrollArea, QScrollArea > QWidget > QWidget[role="scrolled"] { background: transparent; border: 0; }

QLabel { background: transparent; }
QLabel[role="meta"] { font-size: @t_meta@; color: @c_quiet@; }
QLabel[role="label"] { font-size: @t_meta@; color: @c_quiet@; }
QLabel[role="quiet"] { color: @c_quiet@; }
QLabel[role="lamp"], QLabel[role="step"], QLabel[role="verdict-small"] { font-size: @t_meta@; }
QLabel[role="verdict-small"] { font-weight: 600; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="section"] { font-size: @t_section@; font-weight: 600; }
QLabel[role="page"] { font-size: @t_page@; font-weight: 600; }
QLabel[role="verdict"] { font-size: @t_verdict@; font-weight: 600; }
QLabel[role="code"] { font-size: @t_meta@; color: @c_quiet@; }
QLabel[role="group"] { font-size: @t_meta@; color: @c_quiet@; padding: 0 5px; }
QLabel[role="practice"] { font-weight: 600; color: @c_practice_text@; font-size: @t_meta@; }
QLabel[role="kiosk-small"] { font-size: @t_kiosk_small@; color: @c_quiet@; }
QLabel[role="kiosk-body"] { font-size: @t_kiosk_body@; }
QLabel[role="kiosk-title"] { font-size: @t_kiosk_title@; font-weight: 600; }
QLabel[role="kiosk-big"] { font-size: @t_kiosk_big@; font-weight: 600; }
QLabel[role="thumb"] { background: @c_side@; border: 1px solid @c_hairline@; font-size: @t_meta@; color: @c_quiet@; }
QLabel[tone="good"] { color: @c_good_text@; }
QLabel[tone="wait"] { color: @c_wait_text@; }
QLabel[tone="stop"] { color: @c_stop_text@; }
QLabel[tone="accent"] { color: @c_accent_text@; }
QLabel[tone="practice"] { color: @c_practice_text@; }
QLabel[role="on-stage"] { color: @c_on_stage@; font-size: @t_meta@; }
QLabel[role="pill"] { background: @c_pill@; border-radius: 10px; padding: 0 8px 2px 8px; margin-top: 2px; font-size: @t_meta@; color: @c_quiet@; }
QLabel[role="pill"][tone="wait"] { background: @c_wait_soft@; color: @c_wait_text@; }
QLabel[role="pill"][tone="stop"] { background: @c_stop_soft@; color: @c_stop_text@; }
QLabel[role="pill"][tone="good"] { background: @c_good_soft@; color: @c_good_text@; }
QLabel[role="pill"][tone="accent"] { background: @c_accent_soft@; color: @c_accent_text@; }
QLabel[role="key"] { border: 1px solid @c_faint@; border-radius: @r_small@; padding: 0 4px 1px 4px; margin-top: 2px;
  font-size: @t_meta@; color: @c_quiet@; background: @c_surface@; }
QLabel[role="key"][on="accent"] { border-color: @c_on_accent@; color: @c_on_accent@; background: transparent; }
QLabel[role="key"][enabled="false"] { color: @c_faint@; }
QLabel[on="accent"] { color: @c_on_accent@; }
QLabel[on="danger"] { color: @c_stop_text@; }
QLabel[on="link"] { color: @c_accent_text@; }

QPushButton { background: @c_surface@; border: 1px solid @c_edge@; border-radius: @r_button@; padding: 0; margin: 1px;
  min-height: @s_button@; }
QPushButton:hover { background: @c_side@; }
QPushButton:pressed { background: @c_pill@; }
QPushButton:focus { border: 2px solid @c_accent@; margin: 0; }
QPushButton:disabled { background: @c_side@; border-color: @c_hairline@; }
QPushButton[kind="primary"] { background: @c_accent@; border: 1px solid @c_accent@; }
QPushButton[kind="primary"]:hover, QPushButton[kind="primary"]:pressed { background: @c_accent_press@; }
QPushButton[kind="primary"]:focus { border: 2px solid @c_text@; }
QPushButton[kind="primary"]:disabled { background: @c_pill@; border-color: @c_pill@; }
QPushButton[kind="small"] { min-height: @s_button_small@; }
QPushButton[kind="plain"] { background: transparent; border: 1px solid transparent; min-height: @s_row@; }
QPushButton[kind="plain"]:hover { background: @c_pill@; }
QPushButton[kind="plain"]:focus { border: 2px solid @c_accent@; }
QPushButton[kind="touch"] { min-height: @s_button_touch@; border-radius: @r_touch@; }
QPushButton[kind="touch-primary"] { min-height: @s_button_touch@; border-radius: @r_touch@; background: @c_accent@; border-color: @c_accent@; }
QPushButton[kind="row"] { background: transparent; border: 2px solid transparent; border-radius: @r_button@; min-height: @s_row@; text-align: left;
  margin: 0; }
QPushButton[kind="row"]:hover { background: @c_pill@; }
QPushButton[kind="row"]:focus { border-color: @c_accent@; }
QPushButton[kind="row"][current="true"] { background: @c_accent_soft@; }
QPushButton[kind="row"][current="true"] QLabel[role="row"] { color: @c_accent_text@; font-weight: 600; }
QPushButton[kind="toggle"] { min-height: @s_button@; }
QPushButton[kind="toggle"]:checked { background: @c_accent_soft@; border-color: @c_accent_soft@; }
QPushButton[kind="toggle"]:checked:focus { border: 2px solid @c_accent@; }
QPushButton[kind="person"] { border: 1px solid @c_hairline@; background: @c_surface@; min-height: 52px; }
QPushButton[kind="person"]:hover { background: @c_side@; border-color: @c_edge@; }
QPushButton[kind="person"]:focus { border: 2px solid @c_accent@; }
QPushButton[kind="person"]:disabled { background: @c_side@; }
QPushButton[kind="tab"] { background: transparent; border: 2px solid transparent; border-radius: 16px; min-height: 28px; margin: 0; }
QPushButton[kind="tab"]:hover { background: @c_pill@; }
QPushButton[kind="tab"]:focus { border-color: @c_accent@; }
QPushButton[kind="tab"][current="true"] { background: @c_surface@; border-color: @c_hairline@; }
QPushButton[kind="tab"][current="true"]:focus { border-color: @c_accent@; }
QPushButton[kind="tab"] QLabel { font-size: @t_meta@; color: @c_quiet@; }
QPushButton[kind="tab"][done="true"] QLabel { color: @c_good_text@; }
QPushButton[kind="tab"][current="true"] QLabel { color: @c_text@; font-weight: 600; }

QLineEdit, QPlainTextEdit, QComboBox, QDateEdit { background: @c_surface@; border: 1px solid @c_edge@; border-radius: @r_field@; padding: 0 @s_one@;
  margin: 1px; min-height: @s_field@; selection-background-color: @c_accent@; selection-color: @c_on_accent@; }
QPlainTextEdit { padding: 4px @s_one@; }
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus, QDateEdit:focus { border: 2px solid @c_accent@; margin: 0; }
QLineEdit[locked="true"] { background: @c_side@; border-color: @c_hairline@; }
QLineEdit[locked="true"]:focus { border: 2px solid @c_accent@; }
QLineEdit[trouble="must"] { border: 1px solid @c_stop@; background: @c_surface@; }
QLineEdit[trouble="must"]:focus { border: 2px solid @c_stop@; }
QLineEdit[trouble="explain"] { border: 1px solid @c_wait@; }
QLineEdit:disabled { color: @c_faint@; background: @c_side@; }
QComboBox::drop-down { border: 0; width: 28px; }
QCheckBox { spacing: @s_one@; min-height: @s_row@; background: transparent; border: 2px solid transparent; border-radius: @r_small@; padding: 0 4px; }
QCheckBox:focus { border-color: @c_accent@; }
QCheckBox::indicator { width: @s_icon@; height: @s_icon@; border: 1px solid @c_edge@; border-radius: 4px; background: @c_surface@; }
QCheckBox::indicator:checked { background: @c_accent@; border-color: @c_accent@; }
QListView, QTreeView { background: @c_surface@; border: 1px solid @c_edge@; border-radius: @r_field@; padding: 4px; }
QListView[role="choices"] { border: 1px solid @c_accent@; }
QListView::item { min-height: @s_row@; padding: 0 @s_one@; border-radius: @r_small@; }
QListView::item:selected { background: @c_accent_soft@; color: @c_text@; }
QListView::item:hover { background: @c_side@; }

QTableView { background: @c_surface@; border: 0; gridline-color: transparent; selection-background-color: @c_accent_soft@;
  alternate-background-color: @c_surface@; }
QTableView::item { border-bottom: 1px solid @c_hairline@; padding: 0 @s_one@; }
QTableView::item:selected { background: @c_accent_soft@; }
QTableView { border: 2px solid transparent; border-radius: @r_field@; }
QTableView:focus { border: 2px solid @c_accent@; }
QHeaderView { background: @c_surface@; border: 0; }
QHeaderView::section { background: @c_surface@; border: 0; border-bottom: 1px solid @c_edge@; padding: 0 11px; font-size: @t_meta@; color: @c_quiet@; }

QFrame[role="banner"] { border-radius: @r_card@; border: 1px solid @c_hairline@; background: @c_surface@; }
QFrame[role="banner"][tone="stop"] { background: @c_stop_soft@; border-color: @c_stop@; }
QFrame[role="banner"][tone="wait"] { background: @c_wait_soft@; border-color: @c_wait@; }
QFrame[role="banner"][tone="good"] { background: @c_good_soft@; border-color: @c_good@; }
QFrame[role="banner"][tone="accent"] { background: @c_accent_soft@; border-color: @c_accent@; }
QFrame[role="banner"][tone="practice"] { background: @c_practice_soft@; border-color: @c_practice@; }

QProgressBar { background: @c_pill@; border: 0; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: @c_accent@; border-radius: 2px; }
QToolButton { background: transparent; border: 0; padding: 0; }
QMenu { background: @c_surface@; border: 1px solid @c_edge@; border-radius: @r_field@; padding: 4px; }
QMenu::item { padding: 8px 20px; border-radius: @r_small@; }
QMenu::item:selected { background: @c_accent_soft@; color: @c_text@; }
QMenu::item:disabled { color: @c_quiet@; }
QToolTip { background: @c_veil@; color: @c_surface@; border: 0; padding: 6px 8px; font-size: @t_meta@; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar::handle:vertical { background: @c_edge@; border-radius: 4px; min-height: 40px; }
QScrollBar::handle:vertical:hover { background: @c_faint@; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle:horizontal { background: @c_edge@; border-radius: 4px; min-width: 40px; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: transparent; border: 0; width: 0; height: 0; }
"""
